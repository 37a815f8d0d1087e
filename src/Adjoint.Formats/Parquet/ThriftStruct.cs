namespace Adjoint.Formats;

/// <summary>
/// A structure of Thrift's compact protocol, as Parquet describes files and pages with: read without believing it. What
/// is well-formed takes time in proportion to its length, and no memory but for what it holds.
/// </summary>
internal sealed class ThriftStruct
{
    private const int MostDepth = 24;

    private readonly Dictionary<int, object> fields = [];

    /// <summary>Reads a structure.</summary>
    /// <param name="bytes">The bytes from its beginning on.</param>
    /// <param name="length">How many of them it takes.</param>
    /// <exception cref="FormatException">It is not well-formed, or longer than the bytes.</exception>
    internal static ThriftStruct Read(ReadOnlySpan<byte> bytes, out int length)
    {
        var reader = new Reader(bytes);
        var read = reader.Struct(0);
        length = bytes.Length - reader.Left;
        return read;
    }

    /// <summary>The whole number of a field; null where there is none.</summary>
    internal long? Number(int field) => fields.GetValueOrDefault(field) as long?;

    /// <summary>The structure of a field; null where there is none.</summary>
    internal ThriftStruct? Struct(int field) => fields.GetValueOrDefault(field) as ThriftStruct;

    /// <summary>The structures of a list; empty where there is none.</summary>
    internal IReadOnlyList<ThriftStruct> Structs(int field) =>
        fields.GetValueOrDefault(field) is List<ThriftStruct> list ? list : [];

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> rest = bytes;

        public readonly int Left => rest.Length;

        public ThriftStruct Struct(int depth)
        {
            if (depth > MostDepth) throw new FormatException("structures in structures without end");
            var (read, id) = (new ThriftStruct(), 0);
            while (true)
            {
                var head = Byte();
                if (head == 0) return read;
                id = head >> 4 == 0 ? checked((int)Signed()) : id + (head >> 4);
                if (id is < 0 or > short.MaxValue) throw new FormatException($"a field numbered {id}");
                var value = Value(head & 15, depth, isElement: false);
                if (value is not null && !read.fields.TryAdd(id, value))
                    throw new FormatException($"field {id} stands there twice");
            }
        }

        // Whole numbers, structures, and lists of these; of all else only that it is there.
        private object? Value(int type, int depth, bool isElement)
        {
            switch (type)
            {
                case 1 or 2:
                    if (isElement) Byte();
                    return null;
                case 3: Byte(); return null;
                case 4 or 5 or 6: return Signed();
                case 7: Skip(8); return null;
                case 8: Skip(Unsigned()); return null;
                case 9 or 10: return List(depth);
                case 12: return Struct(depth + 1);
                default: throw new FormatException($"a value of the type {type}");
            }
        }

        private List<ThriftStruct>? List(int depth)
        {
            var head = Byte();
            var count = head >> 4 == 15 ? Unsigned() : (ulong)(head >> 4);
            if (count > (ulong)rest.Length)
                throw new FormatException($"a list of {count} values in {rest.Length} bytes");
            if (depth > MostDepth) throw new FormatException("lists in lists without end");
            var structs = (head & 15) == 12 ? new List<ThriftStruct>() : null;
            for (var i = 0UL; i < count; i++)
                if (Value(head & 15, depth + 1, isElement: true) is ThriftStruct one) structs?.Add(one);
            return structs;
        }

        private byte Byte()
        {
            if (rest.IsEmpty) throw new FormatException("the end amid a structure");
            var value = rest[0];
            rest = rest[1..];
            return value;
        }

        private void Skip(ulong count)
        {
            if (count > (ulong)rest.Length) throw new FormatException($"{count} bytes where {rest.Length} are left");
            rest = rest[(int)count..];
        }

        private ulong Unsigned()
        {
            var value = 0UL;
            for (var shift = 0; shift < 70; shift += 7)
            {
                var next = Byte();
                value |= (ulong)(next & 127) << shift;
                if (next < 128) return value;
            }
            throw new FormatException("a number of more than 64 bits");
        }

        private long Signed()
        {
            var value = Unsigned();
            return (long)(value >> 1) ^ -(long)(value & 1);
        }
    }
}
