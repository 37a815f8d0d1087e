# Writes image_files.json: image files of every kind, and the pixels that Pillow reads from them.
# python3 image_files.py (Debian's python3-pil, python3-numpy, libjpeg-turbo-progs)
import base64, io, json, os, struct, subprocess, zlib
import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 11, 6
yy, xx = np.mgrid[0:HEIGHT, 0:WIDTH]
rgb = np.stack([xx * 21 % 256, yy * 47 % 256, (xx * yy * 13 + 40) % 256], -1).astype(np.uint8)
alpha = (xx * 25 % 256).astype(np.uint8)
color = Image.fromarray(rgb)
gray = color.convert("L")
files = []


def add(name, data, expected=None):
    image = Image.open(io.BytesIO(data))
    if expected is None:
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            rgba = image.convert("RGBA")
            behind = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
            image = Image.alpha_composite(behind, rgba)
            expected = image.convert("L" if name.startswith("gray") else "RGB")
        else:
            image = ImageOps.exif_transpose(image)
            expected = image.convert("L" if image.mode in ("L", "1") else "RGB")
    pixels = np.asarray(expected)
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    files.append({"name": name, "shape": list(planes.shape), "file": base64.b64encode(data).decode(),
                  "pixels": base64.b64encode(planes.astype(np.uint8).tobytes()).decode()})


def saved(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


# A PNG encoder for what Pillow does not write: depths, interlacing, transparent colors, every filter.
def png(samples, depth, color_type, interlaced=False, filters=(0, 1, 2, 3, 4), extra=b""):
    height, width, channels = samples.shape
    distance = max(1, channels * depth // 8)

    def rows(part):
        out, before = b"", None
        for y, row in enumerate(part):
            flat = row.ravel()
            if depth == 16:
                raw = flat.astype(">u2").tobytes()
            elif depth == 8:
                raw = flat.astype(np.uint8).tobytes()
            else:
                bits = "".join(format(v, f"0{depth}b") for v in flat)
                bits += "0" * (-len(bits) % 8)
                raw = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
            before = before or bytes(len(raw))
            kind = filters[y % len(filters)]
            coded = bytearray()
            for i, value in enumerate(raw):
                a = raw[i - distance] if i >= distance else 0
                b = before[i]
                c = before[i - distance] if i >= distance else 0
                p = a + b - c
                nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                coded.append((value - (0, a, b, (a + b) // 2, nearest)[kind]) % 256)
            out += bytes([kind]) + bytes(coded)
            before = raw
        return out

    if interlaced:
        data = b""
        for left, top, right, down in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                                       (1, 0, 2, 2), (0, 1, 1, 2)]:
            part = samples[top::down, left::right]
            if part.size:
                data += rows(part)
    else:
        data = rows(samples)
    packed = zlib.compress(data, 9)
    half = len(packed) // 2
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", packed[:half])
            + chunk(b"IDAT", packed[half:]) + chunk(b"IEND", b""))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Of 16 bits, Pillow keeps the upper 8 at best: the definition is used, value / 257, rounded.
def rounded(wide):
    return Image.fromarray(np.rint(wide / 257.0).astype(np.uint8).squeeze())


add("gray-8", saved(gray))
add("color-8", saved(color))
add("color-8-alpha", saved(Image.fromarray(np.dstack([rgb, alpha]), "RGBA")))
add("gray-8-alpha", saved(Image.fromarray(np.dstack([np.asarray(gray), alpha]), "LA")))
add("palette-8", saved(color.quantize(60)))
add("palette-4", saved(color.quantize(11)))
add("palette-2", saved(color.quantize(4)))
add("palette-1", saved(color.quantize(2)))
add("palette-alpha", saved(color.quantize(11), transparency=bytes([0, 100, 200])))
palette = chunk(b"PLTE", bytes(range(30, 30 + 48)))
key8 = chunk(b"tRNS", struct.pack(">H", 63))
wide = (xx * 5003 + yy * 977)[..., None] % 65536
wide3 = np.concatenate([wide, (wide * 3 + 129) % 65536, (wide * 7 + 5) % 65536], -1)
for interlaced in (False, True):
    end = "-interlaced" if interlaced else ""
    for depth in (1, 2, 4):
        values = ((xx * 3 + yy * 5) % (1 << depth))[..., None]
        scaled = (values * (255 // ((1 << depth) - 1))).astype(np.uint8).squeeze()
        add(f"gray-{depth}{end}", png(values, depth, 0, interlaced), Image.fromarray(scaled))
    add(f"own-gray-8{end}", png((xx * 21 + yy)[..., None], 8, 0, interlaced))
    add(f"own-color-8{end}", png(rgb, 8, 2, interlaced))
    add(f"own-palette-4{end}", png(((xx + yy) % 16)[..., None], 4, 3, interlaced, extra=palette))
    add(f"gray-key{end}", png((xx * 21)[..., None], 8, 0, interlaced, extra=key8))
    add(f"own-color-alpha{end}", png(np.dstack([rgb, alpha]), 8, 6, interlaced))
    add(f"gray-16{end}", png(wide, 16, 0, interlaced), rounded(wide))
    add(f"color-16{end}", png(wide3, 16, 2, interlaced), rounded(wide3))
opaque = np.concatenate([wide3, np.full_like(wide, 65535)], -1)
add("color-16-alpha", png(opaque, 16, 6), rounded(wide3))
add("gray-16-alpha", png(np.concatenate([wide, np.full_like(wide, 65535)], -1), 16, 4), rounded(wide))
key16 = chunk(b"tRNS", struct.pack(">HHH", *[int(v) for v in wide3[2, 3]]))
keyed = np.rint(wide3 / 257.0).astype(np.uint8)
keyed[2, 3] = 255
add("color-key-16", png(wide3, 16, 2, extra=key16), Image.fromarray(keyed))
add("one-pixel", png(rgb[:1, :1], 8, 2))
add("one-pixel-interlaced", png(rgb[:1, :1], 8, 2, interlaced=True))

photo = Image.fromarray(np.random.RandomState(3).randint(0, 256, (4, 4, 3)).astype(np.uint8)).resize(
    (21, 19), Image.BICUBIC)
for sampling, name in ((0, "444"), (1, "422"), (2, "420")):
    for progressive in (False, True):
        add(f"jpeg-{name}" + ("-progressive" if progressive else ""),
            saved(photo, "JPEG", quality=92, subsampling=sampling, progressive=progressive))
add("jpeg-gray", saved(photo.convert("L"), "JPEG", quality=92))
add("jpeg-gray-progressive", saved(photo.convert("L"), "JPEG", quality=92, progressive=True))
add("jpeg-cmyk", saved(photo.convert("CMYK"), "JPEG", quality=92))
ink = np.asarray(photo.convert("CMYK")).copy()
ink[..., 3] = (np.mgrid[0:19, 0:21][1] * 9).astype(np.uint8)
add("jpeg-cmyk-key", saved(Image.fromarray(ink, "CMYK"), "JPEG", quality=92))
# What the components mean is in Adobe's marker alone; changed, the same numbers are other colors.
data = saved(Image.fromarray(ink, "CMYK"), "JPEG", quality=92)
at = data.index(b"Adobe")
assert data[at + 11] == 0
add("jpeg-ycck", data[:at + 11] + b"\x02" + data[at + 12:])
data = saved(photo, "JPEG", quality=92, subsampling=0)
assert data[2:4] == b"\xff\xe0" and data[4:6] == b"\x00\x10"
adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
add("jpeg-rgb", data[:2] + adobe + b"\x00" + data[20:])
add("jpeg-ycbcr-without-jfif", data[:2] + adobe + b"\x01" + data[20:])
data = saved(photo, "JPEG", quality=92)
for options, name in ((["-restart", "1"], "restart"), (["-restart", "7B", "-progressive"], "restart-progressive")):
    add(f"jpeg-{name}", subprocess.run(["jpegtran", *options], input=data, capture_output=True, check=True).stdout)
for factors in ("1x2", "4x1", "4x2", "2x2,1x2"):
    add(f"jpeg-sampling-{factors.replace(',', '-')}", subprocess.run(
        ["cjpeg", "-quality", "92", "-sample", factors], input=saved(photo, "PPM"), capture_output=True,
        check=True).stdout)
small = Image.fromarray(np.arange(7 * 5, dtype=np.uint8).reshape(5, 7) * 7)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    add(f"orientation-{orientation}", saved(small, "PNG", exif=exif.tobytes()))
    if orientation in (3, 6):
        add(f"jpeg-orientation-{orientation}", saved(photo, "JPEG", quality=92, exif=exif.tobytes()))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image_files.json")
with open(path, "w") as out:
    out.write("[\n" + ",\n".join(json.dumps(file) for file in files) + "\n]\n")
