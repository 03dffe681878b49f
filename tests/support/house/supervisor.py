"""What systemd sees of a service: a socket where it is told how the service is (sd_notify(3))."""

import socket


class Supervisor:
    """Where systemd would listen."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.settimeout(30)
        self.env = {"NOTIFY_SOCKET": path.replace("\0", "@")}

    def next(self):
        """Whatever comes next."""
        return self._socket.recv(4096).decode()

    def told(self):
        """The next that is no sentence for people."""
        while (message := self.next()).startswith("STATUS="):
            pass
        return message

    def next_until(self, wanted):
        """The first message that wanted() is true of; others are passed over."""
        while not wanted(message := self.next()):
            pass
        return message

    def pending(self):
        """All that has come and was not read."""
        messages = []
        self._socket.setblocking(False)
        try:
            while True:
                messages.append(self.next())
        except BlockingIOError:
            return messages
        finally:
            self._socket.settimeout(30)
