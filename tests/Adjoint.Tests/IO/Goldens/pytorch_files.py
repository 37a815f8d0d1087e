#!/usr/bin/env python3
"""Writes pytorch_files.txt: files of PyTorch 1.13, a JSON object each line: the file's name, its bytes in base64, its
tensors (name, type, what it is loaded as, sizes, the elements in row-major order as bytes in hexadecimal), its texts.

Run with Debian's python3-torch: /usr/bin/python3 pytorch_files.py > pytorch_files.txt. Without PyTorch the tests read
what it printed; with PyTorch they run it, too.
"""
import base64
import collections
import copyreg
import io
import json
import pickle
import struct
import types
import zipfile

import numpy as np
import torch

CONVERTED = {torch.int8: torch.int32, torch.int16: torch.int32}
DATE = (1980, 1, 1, 0, 0, 0)
HELD = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool]


def raw(x):
    x = x.detach().contiguous()
    return x.view(torch.int16).numpy().tobytes() if x.dtype == torch.bfloat16 else x.numpy().tobytes()


def row(name, x):
    kind = str(x.dtype)[6:]
    loaded = x.dtype if x.dtype in HELD else CONVERTED.get(x.dtype)
    return [name, kind, loaded and str(loaded)[6:], list(x.shape), raw(x.to(loaded)).hex() if loaded else ""]


def show(name, data, tensors, texts=None):
    rows = [x if isinstance(x, list) else row(*x) for x in tensors]
    print(json.dumps(dict(name=name, bytes=base64.b64encode(data).decode(), tensors=rows, texts=texts or {})))


def saved(value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def both(name, value, tensors=None, texts=None):
    tensors = tensors if tensors is not None else list(value.items())
    show(name, saved(value), tensors, texts)
    show(name + "-old", saved(value, _use_new_zipfile_serialization=False), tensors, texts)


torch.manual_seed(1)

# Types: what is not held is listed, or converted.
values = torch.tensor([[0.0, -1.0, 2.5], [100.0, -0.0, 3.0]], dtype=torch.float64)
types_of = {str(t)[6:]: values.to(t) for t in HELD + [torch.int8, torch.int16, torch.complex64, torch.complex128]}
both("types", types_of)
q = torch.quantize_per_tensor(torch.arange(6.0).reshape(2, 3), 0.5, 3, torch.qint8)
c = torch.quantize_per_channel(torch.arange(6.0).reshape(2, 3), torch.tensor([0.5, 1.0]), torch.tensor([0, 1]), 0,
                               torch.quint8)
p = torch.quantize_per_channel(torch.arange(10.0).reshape(2, 5), torch.tensor([0.5, 1.0]), torch.tensor([0.0, 1.0]), 0,
                               torch.quint4x2)
rows = [["q", "qint8", None, [2, 3], ""], ["c", "quint8", None, [2, 3], ""], ["p", "quint4x2", None, [2, 5], ""],
        row("x", torch.ones(2))]
both("quantized", dict(q=q, c=c, p=p, x=torch.ones(2)), rows)

# Layouts.
image = torch.arange(24.0).reshape(2, 3, 2, 2)
base = torch.arange(10.0)
both("layouts", collections.OrderedDict(
    channels_last=image.to(memory_format=torch.channels_last), transposed=torch.arange(6).reshape(2, 3).T,
    first=base[:4], middle=base[3:7], every_third=base[1::3], tied=base[3:7], window=base.as_strided((3, 4), (2, 1), 1),
    windows=base.as_strided((5, 6), (1, 1)), expanded=torch.tensor([[1.0], [2.0]]).expand(2, 4), one=torch.tensor(7),
    spread=torch.tensor(7.0).expand(2, 3), none=torch.zeros(0, 3), beyond=base[10:],
    line=torch.ones(1, 1, 4).permute(2, 1, 0)))

# Modules and checkpoints.
torch.manual_seed(2)
module = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
both("module", module.state_dict())
both("parameters", dict(module.named_parameters()))
marked = torch.ones(3)
marked.note = "kept"
both("attribute", dict(x=marked))
optimizer = torch.optim.Adam(module.parameters(), lr=0.125)
module(torch.ones(1, 2, 4, 4)).sum().backward()
optimizer.step()
state = optimizer.state_dict()
checkpoint = dict(
    epoch=3, loss=0.25, note="größe", best=None, done=True, big=2 ** 70, small=-5, long=2 ** 40,
    where=torch.device("cuda", 1), kind=torch.float16, size=torch.Size([2, 3]), score=np.float64(1.5),
    count=np.int64(-7), truth=np.bool_(True), steps=[1, 2, (3, 4)], empty=[], seen=collections.Counter([3, 3]),
    counts=collections.defaultdict(int, a=1), raw=b"ab", pair=(torch.ones(1), torch.zeros(2)),
    optimizer=state, model=module.state_dict())
tensors = [("pair.0", torch.ones(1)), ("pair.1", torch.zeros(2))]
for i, one in state["state"].items():
    tensors += [(f"optimizer.state.{i}.{key}", x) for key, x in one.items()]
tensors += [("model." + key, x) for key, x in module.state_dict().items()]
texts = dict(epoch="3", loss="0.25", note="größe", best="null", done="true", big=str(2 ** 70), small="-5",
             long=str(2 ** 40), where="cuda:1", kind="torch.float16", size="[2, 3]", score="1.5", count="-7",
             truth="true", steps="[1, 2, [3, 4]]", empty="[]", raw="2 bytes")
texts["seen.3"] = "2"
texts["counts.a"] = "1"
texts["optimizer.param_groups.0.lr"] = "0.125"
texts["optimizer.param_groups.0.betas"] = "[0.9, 0.999]"
texts["optimizer.param_groups.0.params"] = "[0, 1, 2, 3]"
both("checkpoint", checkpoint, tensors, texts)
both("alone", torch.arange(3), [("value", torch.arange(3))])
both("list", [torch.arange(3), "a"], [("0", torch.arange(3))], {"1": "a"})
both("nothing", {}, [])
both("names", {"größe": torch.ones(1), "😀.weight": torch.ones(2), "": torch.ones(3), "x" * 300: torch.ones(4)})
for protocol in (2, 3, 4, 5):
    value = collections.OrderedDict(
        w=torch.arange(6.0).reshape(2, 3), n=np.float32(0.5), t=torch.nn.Parameter(torch.ones(2)))
    for kind, new in (("", True), ("-old", False)):
        show(f"protocol{protocol}{kind}", saved(value, pickle_protocol=protocol, _use_new_zipfile_serialization=new),
             [("w", value["w"]), ("t", value["t"])], dict(n="0.5"))


# As earlier versions wrote.
def old_tensor(x):
    return torch._utils._rebuild_tensor, (x.storage(), x.storage_offset(), tuple(x.size()), x.stride())


class OldPickler(pickle._Pickler):
    dispatch_table = {**copyreg.dispatch_table, torch.Tensor: old_tensor}


def old_save(name, value, tensors):
    module_like = types.SimpleNamespace(Pickler=OldPickler, dump=pickle.dump, __name__="pickle")
    show(name, saved(value, pickle_module=module_like), tensors)
    show(name + "-old", saved(value, pickle_module=module_like, _use_new_zipfile_serialization=False), tensors)


old_save("rebuild", dict(w=image[1], s=torch.tensor(2.0)), [("w", image[1]), ("s", torch.tensor(2.0))])


# Pickles by hand, for what this version does not write.
def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value):
    return b"J" + struct.pack("<i", value)


def storage(kind, key, count, old=False, view=None, place="cpu"):
    tail = b"" if not old else b"N" if view is None else text(view[0]) + number(view[1]) + number(view[2]) + b"\x87"
    head = b"(" + text("storage") + b"c" + kind.encode() + b"\n" + text(key) + text(place) + number(count)
    return head + tail + b"tQ"


hooks = b"\x89ccollections\nOrderedDict\n)R"


def tensor(memory, offset, sizes, strides, function="torch._utils\n_rebuild_tensor_v2", tail=hooks):
    shape = b"".join(b"(" + b"".join(map(number, x)) + b"t" for x in (sizes, strides))
    return b"c" + function.encode() + b"\n(" + memory + number(offset) + shape + tail + b"tR"


def dictionary(**items):
    return b"\x80\x02}(" + b"".join(text(key) + x for key, x in items.items()) + b"u."


def archive(program, entries, long=False):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name, data in {"data.pkl": program, "version": b"3\n", **entries}.items():
            with out.open(zipfile.ZipInfo("x/" + name, DATE), "w", force_zip64=long) as entry:
                entry.write(data)
    return file.getvalue()


def packed(data):
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in source.infolist():
            out.writestr(zipfile.ZipInfo(entry.filename, DATE), source.read(entry), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def legacy(program, keys, storages, little=True):
    head = b"".join(pickle.dumps(x, 2) for x in (
        0x1950A86A20F9469CFC6C, 1001, dict(protocol_version=1001, little_endian=little, type_sizes={})))
    elements = b"".join(struct.pack("<q", count) + data for count, data in storages)
    return head + program + pickle.dumps(keys, 2) + elements


show("packed", packed(saved(dict(a=base[2:], b=base[:3], c=image))), [("a", base[2:]), ("b", base[:3]), ("c", image)])
cuda = dictionary(w=tensor(storage("torch.cuda\nFloatStorage", "0", 4, place="cuda:0"), 1, [3], [1]))
show("cuda", archive(cuda, {"data/0": raw(base[:4])}), [("w", base[1:4])])
show("zip64", archive(cuda, {"data/0": raw(base[:4])}, long=True), [("w", base[1:4])])
big = dictionary(
    w=tensor(storage("torch\nFloatStorage", "0", 4), 0, [2, 2], [1, 2]),
    h=tensor(storage("torch\nHalfStorage", "1", 2), 0, [2], [1]),
    b=tensor(storage("torch\nByteStorage", "2", 3), 1, [2], [1]),
    d=tensor(storage("torch\nDoubleStorage", "3", 1), 0, [], []),
    s=tensor(storage("torch\nShortStorage", "4", 2), 0, [2], [1]))
show("big-endian", archive(big, {
    "byteorder": b"big", "data/0": struct.pack(">4f", 0, 1, 2, 3), "data/1": struct.pack(">2e", 0.5, 2),
    "data/2": b"\1\2\3", "data/3": struct.pack(">d", 0.1), "data/4": struct.pack(">2h", -2, 300)}),
    [("w", base[:4].reshape(2, 2).T), ("h", torch.tensor([0.5, 2]).half()),
     ("b", torch.tensor([2, 3], dtype=torch.uint8)),
     ("d", torch.tensor(0.1, dtype=torch.float64)), ("s", torch.tensor([-2, 300], dtype=torch.int16))])
v3 = "torch._utils\n_rebuild_tensor_v3"
newer = dictionary(
    u=tensor(storage("torch.storage\nUntypedStorage", "0", 6), 1, [2], [1], v3, hooks + b"ctorch\nuint16\n"),
    f=tensor(storage("torch.storage\nUntypedStorage", "1", 2), 0, [2], [1], v3, hooks + b"ctorch\nfloat8_e4m3fn\n"),
    p=b"ctorch._utils\n_rebuild_parameter_with_state\n("
      + tensor(storage("torch\nFloatStorage", "2", 2), 0, [2], [1]) + hooks + b"}tR")
show("newer", archive(newer, {
    "byteorder": b"little", "data/0": struct.pack("<3H", 1, 2, 65535), "data/1": b"\x38\xc0", "data/2": raw(base[:2]),
    ".format_version": b"1", ".storage_alignment": b"64"}),
     [["u", "uint16", "int32", [2], struct.pack("<2i", 2, 65535).hex()],
      ["f", "float8_e4m3fn", "float16", [2], struct.pack("<2e", 1, -2).hex()], ("p", base[:2])])
views = dictionary(
    a=tensor(storage("torch\nFloatStorage", "7", 10, True, ("8", 2, 5)), 1, [4], [1]),
    b=tensor(storage("torch\nFloatStorage", "7", 10, True), 0, [10], [1]),
    c=tensor(storage("torch\nFloatStorage", "7", 10, True, ("8", 2, 5)), 0, [2, 2], [2, 1],
             "torch._utils\n_rebuild_tensor", b""))
show("views-old", legacy(views, ["7"], [(10, raw(base))]),
     [("a", base[3:7]), ("b", base), ("c", base[2:6].reshape(2, 2))])
show("other-system-old", legacy(views, ["7"], [(10, raw(base))], little=False),
     [("a", base[3:7]), ("b", base), ("c", base[2:6].reshape(2, 2))])
one = tensor(storage("torch\nFloatStorage", "0", 2, True), 0, [2], [1])
python2 = b"\x80\x02ccollections\nOrderedDict\n(](](U\x01w" + one + b"e](U\x01vK\x05eetR."
show("python2-old", legacy(python2, ["0"], [(2, raw(base[:2]))]), [("w", base[:2])], dict(v="5"))
