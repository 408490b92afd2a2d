"""Sign-in by WeChat: its protocol, a client, and the voter's way there and back. It knows no ballots."""
