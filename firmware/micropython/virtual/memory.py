"""Files in this process, for a virtual board without a folder: they outlive a restart of the device, and not the process."""

if False:
    from kinds import File, Mode

import errno
import io


class _File(io.BytesIO):
    """A file in writing, which stands in the memory once it is flushed or closed."""

    def __init__(self, files: dict[str, bytes], name: str) -> None:
        super().__init__()
        self._files = files
        self._name = name

    def flush(self) -> None:
        """Keeps what was written so far."""
        self._files[self._name] = self.getvalue()

    def close(self) -> None:
        """Keeps all."""
        self.flush()


class Memory:
    """As storage.Folder."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def open(self, name: str, mode: Mode) -> File:
        """Opens a file; a new or emptied one with mode "wb"."""
        if mode == "wb":
            return _File(self._files, name)
        if name not in self._files:
            raise OSError(errno.ENOENT)
        return io.BytesIO(self._files[name])

    def remove(self, name: str) -> None:
        """Removes a file that is there."""
        if name not in self._files:
            raise OSError(errno.ENOENT)
        del self._files[name]
