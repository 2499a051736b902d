"""What a pickle would import, and what of it is known to be harmless.

What counts as harmless follows what PyTorch itself lets through with `weights_only`; a name that is not among them is
flagged, whatever it is.
"""

import re
from collections.abc import Iterator, Sequence

from abierto.formats.contents import Finding, short
from abierto.formats.pickle_machine import Followed

JOBLIB = "joblib.numpy_pickle.NumpyArrayWrapper"
MAX_NAMED = 20  # names that a finding tells
_HARMLESS = re.compile(
    r"torch\.(?:\w+Storage|storage\.(?:Untyped|Typed)Storage|Size|Tensor|device|q?u?int\d+|b?float\d+\w*|bool|double"
    r"|half|long|short|complex\d+|nn\.parameter\.(?:Parameter|Buffer)|serialization\._get_layout"
    r"|_utils\._rebuild_(?:tensor|tensor_v2|tensor_v3|parameter|parameter_with_state|qtensor|sparse_tensor"
    r"|meta_tensor_no_storage|device_tensor_from_numpy)|_tensor\._rebuild_from_type_v2)"
    r"|collections\.(?:OrderedDict|Counter|defaultdict)"
    r"|(?:builtins|__builtin__)\.(?:set|frozenset|list|dict|tuple|int|float|bool|str|bytes|bytearray|complex|slice|range)"
    r"|_codecs\.encode|argparse\.Namespace|datetime\.(?:date|datetime|timedelta)"
    r"|joblib\.numpy_pickle\.NumpyArrayWrapper"
    r"|numpy\.(?:_?core\.multiarray\.(?:_reconstruct|scalar)|ndarray|dtype|dtypes\.\w+|_?core\.numeric\._frombuffer)"
)


def findings(followed: Sequence[Followed]) -> Iterator[Finding]:
    """What some pickles would import: all of it as a note, and what is not known to be harmless flagged."""
    names = list(dict.fromkeys(name for one in followed for name in one.names))
    bad = [name for name in names if not _HARMLESS.fullmatch(name)]
    for code, told in (("pickle_executes", bad), ("pickle_globals", names)):
        if told:
            about = {"count": len(told), "names": ", ".join(short(name, 80) for name in told[:MAX_NAMED])}
            yield Finding(code, "executes" if code == "pickle_executes" else "note", about)
    if not all(one.whole for one in followed):
        yield Finding("pickle_cut", "fault")
