using System.Buffers.Binary;
using System.Text;

namespace Adjoint.Fuzz;

/// <summary>Damages the bytes of a file that was right: by accident, and on purpose.</summary>
internal static class Mutator
{
    private static readonly long[] Numbers =
    [
        0, 1, -1, 7, 8, 255, 256, 65535, 1 << 20, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 40, long.MaxValue,
        long.MinValue,
    ];

    private static readonly string[] Words =
    [
        "null", "{}", "[]", "\"\"", "-1", "1e999", "4294967296", "9223372036854775808", "1.5", "true", "\"\\ud800\"",
        "NaN", "[[]]", "\"F64\"", "\"I8\"", "\"__metadata__\"", "[0,0]", "[4000000000,0]", "\"\\u001b[2J\"",
        "18446744073709551615", "{\"a\":1,\"a\":2}",
    ];

    internal static byte[] Mutate(FuzzRandom random, byte[] original)
    {
        var bytes = original.ToList();
        for (var times = random.Between(1, 3); times > 0; times--)
        {
            var at = random.Below(bytes.Count + 1);
            var rest = bytes.Count - at;
            switch (random.Below(10))
            {
                case 0 when rest > 0: bytes[at] ^= (byte)(1 << random.Below(8)); break;
                case 1 when rest > 0: bytes[at] = (byte)random.Next(); break;
                case 2: bytes.RemoveRange(at, Math.Min(rest, random.Pick(1, 2, 8, rest))); break;
                case 3: bytes.InsertRange(at, bytes.Slice(at, Math.Min(rest, random.Pick(1, 4, 16, 200)))); break;
                case 4: bytes.InsertRange(at, new byte[random.Pick(1, 8, 100)]); break;
                case 5 when rest >= 8: Number(random, bytes, at); break;
                case 6: bytes.RemoveRange(at, rest); break;
                default: Word(random, bytes); break;
            }
        }
        return [.. bytes];
    }

    private static void Number(FuzzRandom random, List<byte> bytes, int at)
    {
        var number = new byte[8];
        if (random.Once(2)) BinaryPrimitives.WriteInt64LittleEndian(number, random.Pick<long>(Numbers));
        else BinaryPrimitives.WriteInt64BigEndian(number, random.Pick<long>(Numbers));
        var (from, count) = random.Pick((0, 8), (4, 4), (0, 4));
        for (var i = 0; i < count; i++) bytes[at + i] = number[from + i];
    }

    // A token of the text is replaced, doubled or taken away: what stands between the marks of JSON.
    private static void Word(FuzzRandom random, List<byte> bytes)
    {
        var marks = Enumerable.Range(0, bytes.Count)
            .Where(i => bytes[i] is (byte)'{' or (byte)'}' or (byte)'[' or (byte)']' or (byte)',' or (byte)':')
            .ToArray();
        if (marks.Length < 2) return;
        var mark = random.Below(marks.Length - 1);
        var (from, to) = (marks[mark] + 1, marks[Math.Min(marks.Length - 1, mark + random.Between(1, 3))]);
        var token = bytes.Slice(from, to - from).ToArray();
        switch (random.Below(3))
        {
            case 0: bytes.RemoveRange(from, to - from); break;
            case 1: bytes.InsertRange(to, [(byte)',', .. token]); break;
            default:
                bytes.RemoveRange(from, to - from);
                bytes.InsertRange(from, Encoding.UTF8.GetBytes(random.Pick<string>(Words)));
                break;
        }
    }
}
