"""A mail server that does as it is told: takes, refuses, drops the line, or says nothing at all."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes
from email.message import Message

DROP, HANG = "drop", "hang"


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, step: str, usual: str, address: str = "") -> bool:
        """Answer as told; False when the line is to be dropped."""
        answer = self.server.answers.get(f"{step} {address}") or self.server.answers.get(step, usual)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else usual
        if answer == HANG:
            self.server.released.wait(30)
            answer = usual
        if answer != DROP:
            self.wfile.write(f"{answer}\r\n".encode())
        return answer != DROP and not answer.startswith("421")

    def handle(self) -> None:
        if not self.say("greet", "220 here"):
            return
        address = ""
        for line in self.rfile:
            verb = line.split(b" ", 1)[0].strip().upper().decode()
            if verb == "DATA":
                if not self.say("DATA", "354 go on"):
                    return
                content = b""
                for one in iter(self.rfile.readline, b".\r\n"):
                    if not one:
                        return
                    content += one
                # What is answered with a refusal was not taken; what breaks off afterwards was.
                told = self.server.answers.get("end", "250")
                if isinstance(told, list):
                    told = told[0] if told else "250"
                if told in (DROP, HANG) or told.startswith("250"):
                    self.server.taken.append((address, message_from_bytes(content)))
                if not self.say("end", "250 taken"):
                    return
            elif verb == "QUIT":
                self.say("QUIT", "221 bye")
                return
            else:
                if verb == "RCPT":
                    address = line.split(b"<")[1].split(b">")[0].decode()
                if verb == "EHLO" and "AUTH" in self.server.answers:
                    self.wfile.write(b"250-here\r\n250-AUTH PLAIN\r\n")
                if not self.say(verb, "250 well", address if verb == "RCPT" else ""):
                    return


class MailServer(socketserver.ThreadingTCPServer):
    """`answers`: by step (greet, EHLO, MAIL, RCPT, "RCPT <address>", DATA, end), what is said instead of yes; a list is said
    one after the other."""

    allow_reuse_address = daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.answers: dict[str, str | list[str]] = {}
        self.taken: list[tuple[str, Message]] = []
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for _address, mail in self.taken]

    def stop(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()
