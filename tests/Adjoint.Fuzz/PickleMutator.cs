using System.Buffers.Binary;
using System.Text;

namespace Adjoint.Fuzz;

/// <summary>
/// Damages pickles with their grammar in mind: instructions are dropped, doubled, exchanged, or others put in between,
/// and numbers become extreme.
/// </summary>
internal static class PickleMutator
{
    // Instructions of the format, some of them never allowed.
    private static readonly string[] Others =
    [
        "N", "\u0088", "K\0", "K\u007f", "Jÿÿÿÿ", "Jÿÿÿ\u007f", "\u008a\u0008ÿÿÿÿÿÿÿ\u007f",
            "\u008a\u0009\0\0\0\0\0\0\0\0\u0001",
        "\u008bÿÿÿ\u007f", "U\u0001a", "Xÿÿÿÿ", "\u008d\0\0\0\0\0\0\0\u0010", "\u008c\u0001a", "B\0\0\0\0", "]", "}",
            ")", "(", "t",
        "\u0085", "\u0086", "\u0087", "a", "e", "s", "u", "R", "b", "Q", "\u0081", "\u0093", "\u0094", "q\0", "h\0",
            "h\u0007",
        "rÿÿÿÿ", "j\0\0\0\0", ".", "0", "2", "1", "I1\n", "cos\nsystem\n", "c__builtin__\neval\n", "ios\nsystem\n", "o",
        "\u008f", "\u0095ÿÿÿÿÿÿÿ\u007f", "ccollections\nOrderedDict\n", "ccollections\ndefaultdict\n", "ctorch\nSize\n",
        "ctorch\nUntypedStorage\n", "ctorch\nDoubleStorage\n", "ctorch._utils\n_rebuild_tensor_v3\n",
            "ctorch\nfloat8_e5m2\n",
        "ctorch._tensor\n_rebuild_from_type_v2\n", "ctorch\nTensor\n", "c_codecs\nencode\n", "cnumpy\ndtype\n",
    ];

    private static readonly long[] Numbers =
        [0, 1, 2, 3, 7, 16, 17, 255, -1, int.MaxValue, int.MinValue, 1L << 31, 1L << 32, 1L << 62, long.MaxValue,
            long.MinValue];

    internal static byte[] Mutate(FuzzRandom random, byte[] pickle)
    {
        var parts = Split(pickle);
        for (var times = random.Between(1, 4); times > 0; times--)
        {
            var (at, other) = (random.Below(parts.Count), random.Below(parts.Count));
            switch (random.Below(8))
            {
                case 0: parts.RemoveAt(at); break;
                case 1: parts.Insert(other, parts[at]); break;
                case 2: (parts[at], parts[other]) = (parts[other], parts[at]); break;
                case 3: parts.InsertRange(at, Enumerable.Repeat(parts[other], random.Pick(2, 20, 300))); break;
                case 4: parts[at] = Encoding.Latin1.GetBytes(random.Pick<string>(Others)); break;
                case 5: parts.Insert(at, Encoding.Latin1.GetBytes(random.Pick<string>(Others))); break;
                case 6 when parts.FindIndex(at, part => part is [(byte)'K' or (byte)'J', ..]) is >= 0 and var number:
                    var value = new byte[8];
                    BinaryPrimitives.WriteInt64LittleEndian(value, random.Pick<long>(Numbers));
                    parts[number] = [0x8a, 8, .. value];
                    break;
                default: parts[at] = Mutator.Mutate(random, parts[at]); break;
            }
            if (parts.Count == 0) parts.Add([]);
        }
        return [.. parts.SelectMany(part => part)];
    }

    // Into instructions with what belongs to them.
    private static List<byte[]> Split(byte[] pickle)
    {
        var parts = new List<byte[]>();
        for (var at = 0; at < pickle.Length;)
        {
            var length = Math.Min(LengthOf(pickle, at), pickle.Length - at);
            parts.Add(pickle[at..(at + length)]);
            at += length;
        }
        return parts;
    }

    private static int LengthOf(byte[] pickle, int at) => pickle[at] switch
    {
        (byte)'c' => pickle.AsSpan(at).IndexOf((byte)'\n') is var line
            ? line + 2 + pickle.AsSpan(at + line + 1).IndexOf((byte)'\n') : 0,
        (byte)'X' => 5 + BinaryPrimitives.ReadInt32LittleEndian(pickle.AsSpan(at + 1)),
        (byte)'U' or 0x8a => 2 + pickle[at + 1],
        (byte)'K' or (byte)'q' or (byte)'h' or 0x80 => 2,
        (byte)'M' => 3,
        (byte)'J' => 5,
        (byte)'G' => 9,
        _ => 1,
    };
}
