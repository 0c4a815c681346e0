"""Copies files to a board with MicroPython, so that it runs either all of the old ones or all of the new ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from mtjlearn.firmware.mpy_cross import ARCHITECTURES
from mtjlearn.flashing.failures import FlashError
from mtjlearn.flashing.platformio import Progress
from mtjlearn.flashing.repl import Repl, ReplDisturbed, ReplError

_FACTS = """
import os,sys
i=sys.implementation
s=os.statvfs('.')
print((tuple(i.version[:3]),getattr(i,'_mpy',0),sys.platform,s[1],s[1]*s[4]))
"""
_FOLDERS = """
import os
print([e[0] for e in os.ilistdir() if e[1]&0x4000 and e[0].startswith('mtjlearn_') and len(e[0])==17])
"""
_REMOVE = """
import os
def remove(d):
 for e in os.ilistdir(d):
  p=d+'/'+e[0]
  if e[1]&0x4000: remove(p)
  else: os.remove(p)
 os.rmdir(d)
for d in {folders!r}: remove(d)
"""
_HASHES = """
import hashlib
for p in {paths!r}:
 h=hashlib.sha256()
 f=open(p,'rb')
 while True:
  b=f.read(1024)
  if not b: break
  h.update(b)
 f.close()
 print(h.digest().hex())
"""
_WHOSE_MAIN = """
import os
try:
 f=open('main.py','rb')
 ours=f.readline().startswith(b'# mtjlearn')
 f.close()
except OSError: ours=None
"""
_KEEP_MAIN = """
n=''
if ours is False:
 n='main_before_mtjlearn.py'
 while n in os.listdir(): n='_'+n
 os.rename('main.py',n)
"""
_TAKE_MAIN = """
import os
try: os.rename({new!r},'main.py')
except OSError:
 os.remove('main.py')
 os.rename({new!r},'main.py')
print(repr(n))
"""
_REMOVE_MAIN = """
if ours: os.remove('main.py')
"""
_NEW_MAIN = "mtjlearn_main.py"
_FOLDER_BLOCKS = 2
"""Blocks that a folder takes."""
_FULL = "ENOSPC", "OSError: 28", "[Errno 28]"


@dataclass(frozen=True)
class Facts:
    """What MicroPython reports about itself and its file system.

    Args:
        version: major, minor, patch.
        mpy: sys.implementation._mpy: format of the files that it loads.
        platform: sys.platform.
        block: bytes of the file system that are given out together.
        free: bytes of it.
    """

    version: tuple[int, ...]
    mpy: int
    platform: str
    block: int
    free: int

    @classmethod
    def of(cls, repl: Repl) -> Facts:
        """Asks a board.

        Raises:
            FlashError: it is not a MicroPython with files, or it is gone.
        """
        try:
            return cls(*repl.ask(_FACTS))
        except (ReplError, ReplDisturbed, TypeError) as error:
            raise FlashError(f"what answers is not a MicroPython with a file system: {error}") from error

    @property
    def file_format(self) -> tuple[int, int]:
        """Version and subversion."""
        return self.mpy & 0xFF, self.mpy >> 8 & 3

    @property
    def architecture(self) -> str:
        """Machine code that it loads; empty: none."""
        number = self.mpy >> 10 & 15  # extensions of the architecture follow
        return ARCHITECTURES[number] if number < len(ARCHITECTURES) else ""


def copy_files(repl: Repl, files: Mapping[str, bytes], facts: Facts, port: str, progress: Progress) -> str:
    """Copies the files and compares them, then puts main.py in its place and removes the folders of builds before.

    Args:
        repl: of the board.
        files: by their paths, one folder deep or two, in a folder of their own but for main.py.
        facts: of the board.
        port: name of its port, for messages.
        progress: called with what happens now.

    Returns:
        Name that the board's own main.py has now; empty: it had none.

    Raises:
        FlashError: there is no room, the board is gone, or what it stored differs.
    """
    modules = {name: content for name, content in files.items() if name != "main.py"}
    folders = sorted({name.rpartition("/")[0] for name in modules})
    _make_room(repl, files, folders, facts, port)
    try:
        repl.run("import os\n" + "\n".join(f"os.mkdir({folder!r})" for folder in folders))
        for number, (name, content) in enumerate(modules.items()):
            progress("copying", f"{name}, {number + 1} of {len(modules)}")
            repl.write_file(name, content)
        repl.write_file(_NEW_MAIN, files["main.py"])
        progress("comparing", "")
        hashes = repl.run(_HASHES.format(paths=[*modules, _NEW_MAIN])).split()
    except ReplError as error:
        if any(word in error.last_line for word in _FULL):
            raise FlashError(f"there is no room on the board at {port}; {_REMEDY}") from error
        raise
    if hashes != [hashlib.sha256(content).hexdigest() for content in (*modules.values(), files["main.py"])]:
        raise FlashError(f"what {port} stored differs from what was sent; try again, with another cable or without a hub")
    # Together, so that nothing stops between them.
    kept = str(repl.ask(_WHOSE_MAIN + _KEEP_MAIN + _TAKE_MAIN.format(new=_NEW_MAIN)))
    _remove(repl, [name for name in _build_folders(repl) if name != folders[0]])
    return kept


_REMEDY = "remove files of yours from it, e.g. with `mpremote fs rm`, and flash it again"


def _make_room(repl: Repl, files: Mapping[str, bytes], folders: list[str], facts: Facts, port: str) -> None:
    """Removes what an attempt before left of this build, and, where there is no room for two, the build that runs now."""
    needed = sum(-(-max(1, len(content)) // facts.block) * facts.block for content in files.values())
    needed += len(folders) * _FOLDER_BLOCKS * facts.block
    found = _build_folders(repl)
    if folders[0] in found:
        # The build that runs may be this very one.
        repl.run(_WHOSE_MAIN + _REMOVE_MAIN)
        _remove(repl, [folders[0]])
    if found and Facts.of(repl).free < needed:
        repl.run(_WHOSE_MAIN + _REMOVE_MAIN)
        _remove(repl, [name for name in found if name != folders[0]])
    free = Facts.of(repl).free
    if free < needed:
        raise FlashError(f"there is no room on the board at {port}: {needed:,} bytes are needed, {free:,} are free; {_REMEDY}")


def _build_folders(repl: Repl) -> list[str]:
    return list(repl.ask(_FOLDERS))


def _remove(repl: Repl, folders: list[str]) -> None:
    if folders:
        repl.run(_REMOVE.format(folders=folders))
