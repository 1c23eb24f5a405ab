/* The floor: one way through shared memory with a futex, as little as Linux allows.
 *
 * floor KIND SIZE WAY MESSAGES PACE_NS writes nanoseconds, one a line. KIND is `latency` (a paced message, one way) or
 * `pingpong` (round trips without a pause). WAY `copied` copies the payload into the shared memory after the moment
 * was noted; `loaned` writes only the first 8 bytes. The reader reads 8 bytes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
    _Alignas(64) _Atomic uint32_t there; /* messages sent */
    _Alignas(64) _Atomic uint32_t back;  /* messages answered */
    _Alignas(64) unsigned char payload[];
};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void wait_for(_Atomic uint32_t *word, uint32_t value) {
    uint32_t seen;
    while ((seen = atomic_load(word)) != value)
        syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, uint32_t value) {
    atomic_store(word, value);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void reader(struct shared *shared, size_t size, int copied, uint32_t messages, int answers) {
    uint64_t *taken = calloc(messages, sizeof *taken);
    unsigned char *target = malloc(size);
    memset(target, 1, size);
    for (uint32_t message = 1; message <= messages; message++) {
        uint64_t sent;
        wait_for(&shared->there, message);
        uint64_t here = now();
        memcpy(&sent, shared->payload, sizeof sent);
        taken[message - 1] = here - sent;
        if (answers) {
            if (copied)
                memcpy(shared->payload, target, size); /* the answer is a message too */
            wake(&shared->back, message);
        } else
            atomic_store(&shared->back, message);
    }
    if (!answers)
        for (uint32_t message = 0; message < messages; message++)
            printf("%llu\n", (unsigned long long)taken[message]);
}

static void send_one(struct shared *shared, const unsigned char *source, size_t size, int copied, uint32_t message) {
    uint64_t moment = now();
    if (copied)
        memcpy(shared->payload, source, size);
    memcpy(shared->payload, &moment, sizeof moment);
    wake(&shared->there, message);
}

static void pause_until(uint64_t due) {
    struct timespec time = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

static void writer(struct shared *shared, size_t size, int copied, uint32_t messages, uint64_t pace, int answers) {
    unsigned char *source = malloc(size);
    memset(source, 1, size);
    uint64_t due = now();
    for (uint32_t message = 1; message <= messages; message++) {
        if (!answers) {
            due = due + pace > now() ? due + pace : now();
            pause_until(due);
            while (atomic_load(&shared->back) != message - 1)
                usleep(100);
        }
        uint64_t began = now();
        send_one(shared, source, size, copied, message);
        if (answers) {
            wait_for(&shared->back, message);
            printf("%llu\n", (unsigned long long)(now() - began));
        }
    }
}

int main(int count, char **words) {
    if (count != 6)
        return 2;
    int answers = strcmp(words[1], "pingpong") == 0, copied = strcmp(words[3], "copied") == 0;
    size_t size = strtoull(words[2], NULL, 10);
    uint32_t messages = (uint32_t)strtoul(words[4], NULL, 10);
    uint64_t pace = strtoull(words[5], NULL, 10);
    size_t whole = sizeof(struct shared) + (size < 8 ? 8 : size);
    struct shared *shared = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    memset(shared, 0, whole);
    pid_t child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        reader(shared, size, copied, messages, answers);
        return 0;
    }
    writer(shared, size, copied, messages, pace, answers);
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0 ? 0 : 1;
}
