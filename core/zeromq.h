/* A socket of ZeroMQ that pyzmq has made, used without Python; core/zeromq.c. */
#ifndef DORAFLOW_CORE_ZEROMQ_H
#define DORAFLOW_CORE_ZEROMQ_H

#include "common.h"

/* A message of ZeroMQ, as large as zmq.h says that it is for good. */
struct zeromq_message {
    _Alignas(void *) unsigned char bytes[64];
};

struct zeromq_calls {
    int (*send)(void *, const void *, size_t, int);
    int (*getsockopt)(void *, int, void *, size_t *);
    int (*msg_init)(struct zeromq_message *);
    int (*msg_recv)(struct zeromq_message *, void *, int);
    int (*msg_move)(struct zeromq_message *, struct zeromq_message *);
    int (*msg_close)(struct zeromq_message *);
    void *(*msg_data)(struct zeromq_message *);
    size_t (*msg_size)(const struct zeromq_message *);
    int (*msg_more)(const struct zeromq_message *);
    const char *(*msg_gets)(const struct zeromq_message *, const char *);
};

typedef struct {
    PyObject_HEAD
    struct zeromq_calls calls;
    void *handle; /* NULL once it was closed */
    int monitor; /* the descriptor that tells of turns of the connection; -1 for none */
} ZeroMqSocket;

extern PyTypeObject ZeroMqSocketType, PartType;

/* Hands bytes over, which are copied; what ZeroMQ cannot take is forgotten. */
void zeromq_send(ZeroMqSocket *socket, const void *data, size_t size);
/* Whether something waits to be received. After "no" the socket's descriptor tells of what comes. */
int zeromq_has_more(ZeroMqSocket *socket);
/* Whether the monitor, which Python reads to the end, has nothing to tell of the connection. */
int zeromq_stands(ZeroMqSocket *socket);
/* Receives a part; 0 if there is none, and the descriptor then tells of what comes. */
int zeromq_receive(ZeroMqSocket *socket, struct zeromq_message *message);
/* Makes an object with the bytes of a part, which it takes over, also on failure. */
PyObject *part_new(ZeroMqSocket *socket, struct zeromq_message *message);

#endif
