"""Event files by Google's protobuf library, from a table of TensorBoard's field numbers.

    events.py           writes the records that EventFileTests expects, a line of hexadecimal digits each
    events.py FILE      checks the framing of FILE and prints its events, a line each; pixels of images, not their PNG
"""
import binascii
import struct
import sys
import zlib

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

BOOL, DOUBLE, FLOAT, INT32, INT64, STRING, BYTES = 8, 1, 2, 5, 3, 9, 12

# Of these messages one of the fields is there, and is written also where it is 0.
ONE_OF = {"Event": ("file_version", "summary", "session_log"), "Value": ("simple_value", "image", "histo", "tensor")}

# Message: fields as (name, number, type or message, repeated). Numbers as in TensorBoard's event.proto, summary.proto,
# histogram.proto, tensor.proto; enumerations have the wire format of int32.
MESSAGES = {
    "Event": [("wall_time", 1, DOUBLE), ("step", 2, INT64), ("file_version", 3, STRING), ("summary", 5, "Summary"),
              ("session_log", 7, "SessionLog"), ("source_metadata", 10, "SourceMetadata")],
    "SourceMetadata": [("writer", 1, STRING)],
    "SessionLog": [("status", 1, INT32), ("checkpoint_path", 2, STRING), ("msg", 3, STRING)],
    "Summary": [("value", 1, "Value", True)],
    "Value": [("tag", 1, STRING), ("simple_value", 2, FLOAT), ("image", 4, "Image"), ("histo", 5, "HistogramProto"),
              ("tensor", 8, "TensorProto"), ("node_name", 7, STRING), ("metadata", 9, "SummaryMetadata")],
    "Image": [("height", 1, INT32), ("width", 2, INT32), ("colorspace", 3, INT32), ("encoded_image_string", 4, BYTES)],
    "HistogramProto": [("min", 1, DOUBLE), ("max", 2, DOUBLE), ("num", 3, DOUBLE), ("sum", 4, DOUBLE),
                       ("sum_squares", 5, DOUBLE), ("bucket_limit", 6, DOUBLE, True), ("bucket", 7, DOUBLE, True)],
    "PluginData": [("plugin_name", 1, STRING), ("content", 2, BYTES)],
    "SummaryMetadata": [("plugin_data", 1, "PluginData"), ("display_name", 2, STRING),
                        ("summary_description", 3, STRING), ("data_class", 4, INT32)],
    "Dim": [("size", 1, INT64), ("name", 2, STRING)],
    "TensorShapeProto": [("dim", 2, "Dim", True), ("unknown_rank", 3, BOOL)],
    "TensorProto": [("dtype", 1, INT32), ("tensor_shape", 2, "TensorShapeProto"), ("version_number", 3, INT32),
                    ("tensor_content", 4, BYTES), ("float_val", 5, FLOAT, True), ("double_val", 6, DOUBLE, True),
                    ("string_val", 8, BYTES, True)],
}


def classes():
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="tensorboard", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        if name in ONE_OF:
            message.oneof_decl.add(name="one_of")
        for field, number, kind, *repeated in fields:
            own = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if field in ONE_OF.get(name, ()):
                own.oneof_index = 0
            if isinstance(kind, str):
                own.type, own.type_name = 11, f".tensorboard.{kind}"
            else:
                own.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"tensorboard.{name}")) for name in MESSAGES}


def crc32c(data):
    """RFC 3720: the polynomial 0x11EDC6F41, reflected, a bit at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(event):
    data = event.SerializeToString()
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def expected(Event):
    first = Event(wall_time=1700000000.5, file_version="brain.Event:2")
    first.source_metadata.writer = "Adjoint.TensorBoard"
    yield first
    start = Event(wall_time=1700000001.5, step=3)
    start.session_log.status = 1
    yield start
    for i, value in enumerate((0.25, -1e-3, float("nan"), float("inf"), 0.0)):
        scalar = Event(wall_time=1700000002.5 + i, step=10 ** i)
        scalar.summary.value.add(tag="loss/train").simple_value = value
        yield scalar
    for i, values in enumerate(((-2.0, 0.0, 0.0, 1e-13, 0.5, 0.5, 3e20), ())):
        histogram = Event(wall_time=1700000007.5 + i, step=7)
        histo = histogram.summary.value.add(tag="weights").histo
        histo.min, histo.max = min(values, default=0), max(values, default=0)
        histo.num, histo.sum = len(values), sum(values)
        histo.sum_squares = sum(value * value for value in values)
        for limit, count in buckets(values):
            histo.bucket_limit.append(limit)
            histo.bucket.append(count)
        yield histogram
    text = Event(wall_time=1700000009.5, step=-1)
    value = text.summary.value.add(tag="notes")
    value.metadata.plugin_data.plugin_name = "text"
    value.metadata.data_class = 2
    value.tensor.dtype = 7
    value.tensor.tensor_shape.SetInParent()
    value.tensor.string_val.append("*Größe* 大".encode())
    yield text


def buckets(values):
    """Each value in the bucket below the first limit above it; the last of empty buckets before one that is not."""
    positive = [1e-12]
    while positive[-1] * 1.1 < 1e20:
        positive.append(positive[-1] * 1.1)
    positive.append(sys.float_info.max)
    limits = [-limit for limit in reversed(positive)] + [0.0] + positive
    counts = [0] * len(limits)
    for value in values:
        counts[next(i for i, limit in enumerate(limits) if limit > value)] += 1
    if not values:
        yield sys.float_info.max, 0
    for i, count in enumerate(counts):
        if count > 0:
            if i > 0 and counts[i - 1] == 0:
                yield limits[i - 1], 0
            yield limits[i], count


def pixels(png):
    """The bytes of an image of 8 bits a channel whose rows are not filtered."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    position, packed = 8, b""
    while position < len(png):
        size, kind = struct.unpack(">I4s", png[position:position + 8])
        data = png[position + 8:position + 8 + size]
        assert struct.unpack(">I", png[position + 8 + size:position + 12 + size])[0] == binascii.crc32(kind + data)
        if kind == b"IHDR":
            width, height, bits, color = struct.unpack(">IIBB", data[:10])
            assert bits == 8
        if kind == b"IDAT":
            packed += data
        position += 12 + size
    rows, stride = zlib.decompress(packed), 1 + width * {0: 1, 2: 3}[color]
    assert all(rows[row * stride] == 0 for row in range(height))
    return b"".join(rows[row * stride + 1:(row + 1) * stride] for row in range(height))


def show(path, Event):
    with open(path, "rb") as file:
        data = file.read()
    position = 0
    while position < len(data):
        header, (size,) = data[position:position + 8], struct.unpack_from("<Q", data, position)
        body = data[position + 12:position + 12 + size]
        assert data[position + 8:position + 12] == masked(header), position
        assert data[position + 12 + size:position + 16 + size] == masked(body), position
        position += 16 + size
        event = Event.FromString(body)
        assert event.SerializeToString() == body, position
        words = [f"{event.wall_time!r}", f"{event.step}"]
        words += [event.file_version, event.source_metadata.writer] if event.file_version else []
        words += ["start"] if event.HasField("session_log") and event.session_log.status == 1 else []
        for value in event.summary.value:
            words.append(value.tag)
            if value.HasField("image"):
                image = value.image
                words += ["image", f"{image.width}x{image.height}x{image.colorspace}",
                          pixels(image.encoded_image_string).hex()]
            elif value.HasField("histo"):
                words += ["histogram", f"{value.histo.num:g}", f"{sum(value.histo.bucket):g}"]
            elif value.HasField("tensor"):
                words += [value.metadata.plugin_data.plugin_name, *(text.decode() for text in value.tensor.string_val)]
            else:
                assert value.WhichOneof("one_of") == "simple_value"
                words.append(f"{value.simple_value!r}")
        print(" ".join(words))


def main():
    Event = classes()["Event"]
    if len(sys.argv) > 1:
        show(sys.argv[1], Event)
    else:
        for event in expected(Event):
            print(record(event).hex())


main()
