"""What minisign 0.11 wrote: keys with and without a password, and signatures of one text in all its forms.

Made with `minisign -G -W`, `minisign -G` (the password is `secret`), `minisign -S` and `minisign -S -l`. The keys sign
nothing else.
"""

TEXT = b"test vector\n"
PASSWORD = "secret"

PUBLIC = (
    "untrusted comment: minisign public key E45C02313B10A65D\n"
    "RWRdphA7MQJc5NfSOVx1wMhYwuzrD2A1PErEb54nr4nUwbtz+PXu4Esj\n"
)

OPEN_SECRET = (
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXaYQOzECXOTe7YA6Z0N0rdf4xTkE"
    "tjb7x4TI88PrPL0EvXqtsGr2atfSOVx1wMhYwuzrD2A1PErEb54nr4nUwbtz+PXu4EsjAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAA=\n"
)

SIGNATURE = (
    "untrusted comment: signature from minisign secret key\n"
    "RURdphA7MQJc5Lv7briOVqNtrM2FdfpTQAR0KqNu3AY6m9I1Y73o5vL4MNAfTw2RJhXqrmh5MH4PqMADSUEB4JKXqtgRzwfi3AI=\n"
    "trusted comment: timestamp:1795272625\tfile:v.txt\thashed\n"
    "JT+em7Dli2fjzwMvw7P5MGPj3IXwdx4ITBAxxqhST5APcXr49m3uZIRejkju0dXXccVNFUas+px+RHtu1TOsDA==\n"
)

LEGACY_SIGNATURE = (
    "untrusted comment: signature from minisign secret key\n"
    "RWRdphA7MQJc5BA64VZgB0GdiZPSTZPxPHbo7nlri4arHDCRneU0+qqZx+x6Z+/3ixT5xmHG71ZsxhMvaubqqDiEtHS9JFd9gg8=\n"
    "trusted comment: timestamp:1795272625\tfile:v.txt\n"
    "4GSJpPzgRvjFo3Sy0WzNHaPEd/45gpXiCcuGfUngLYUmvWJE9FU2p4KbgqvOt0k7YzvqrHt993fHkXpzVmU5DQ==\n"
)

OTHER_PUBLIC = (
    "untrusted comment: minisign public key 18E587A6CCD064A\nRWRKBs1seliOAeANFSwEjpFEupwXQDrDv0Rii4+GNdVC3Vh5ka7Vg3tz\n"
)

ENCRYPTED_SECRET = (
    "untrusted comment: minisign encrypted secret key\n"
    "RWRTY0IyfcgR33XyE7b5hKwROmaU8BzLcrPhrqnixmqStFu/NrAAAAACAAAAAAAAAEAAAAAArXKzjUT/CRJp2uQ+1PT04MQucgIU"
    "HVZXn/prdLSlBqyJG1rym98952lKuo9Cs8mplEUxwO2JrkBOeshkFtg0LZ5h3uIBh9OzEFPeLmu1j8YfBln0mJLlHEQ2A90uhWA6"
    "YWTiIcYc72Y=\n"
)

OTHER_SIGNATURE = (
    "untrusted comment: signature from minisign secret key\n"
    "RURKBs1seliOAZv/tmWRN6MT36b49bQT47Ocd7SB1Ik02B1drMFOPsJ+5tZQmJJyqnqsM/F7oymCMwLufWVss4OxKrFih/amGQo=\n"
    "trusted comment: timestamp:1795272625\tfile:v.txt\thashed\n"
    "UswXPPQCqHQz6KQKsRcYtEY6oDS3nnuRfhN8XpZR/mxpsciyXfKcXvbhNG8W94NO+PMQBa2MXyJlRau3l/EVBQ==\n"
)
