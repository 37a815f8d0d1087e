using System.Security.Cryptography;
using System.Text;

namespace Adjoint.Distributed;

/// <summary>Tensors between ranks, with their shapes and types, in messages of bounded size.</summary>
internal static class TensorMessages
{
    // So long a piece is sent at once: large enough that latency is nothing, and little memory.
    private const int Piece = 64 << 20;

    /// <summary>Gives all ranks the tensors and texts of one, in its order.</summary>
    /// <param name="communicator">The world.</param>
    /// <param name="call">What this is about, for messages.</param>
    /// <param name="given">The tensors and texts of the root by name; null: it has none. Elsewhere unused.</param>
    /// <param name="root">The rank that has them.</param>
    /// <returns>The root's; null where it has none.</returns>
    internal static (Dictionary<string, Tensor> Tensors, Dictionary<string, string> Notes)? Broadcast(
        Communicator communicator, string call,
        (IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Notes)? given, int root = 0)
    {
        var isRoot = communicator.Rank == root;
        Tensor[] own = isRoot && given is { } values ? [.. values.Tensors.Values.Select(OnHost)] : [];
        var header = communicator.Broadcast(call, isRoot ? HeaderOf() : [], root);
        using var reader = new BinaryReader(new MemoryStream(header), Encoding.UTF8);
        if (!reader.ReadBoolean()) return null;
        var (tensors, notes) = (new Dictionary<string, Tensor>(), new Dictionary<string, string>());
        for (var left = reader.ReadInt32(); left > 0; left--) notes.Add(reader.ReadString(), reader.ReadString());
        var types = new TensorType[reader.ReadInt32()];
        for (var i = 0; i < types.Length; i++)
        {
            var name = reader.ReadString();
            types[i] = TensorType.Read(reader);
            tensors.Add(name, isRoot ? own[i] : types[i].Allocate());
        }
        Carry(communicator, call, types, from: root, [.. tensors.Values]);
        return (tensors, notes);

        byte[] HeaderOf()
        {
            using var stream = new MemoryStream();
            using var writer = new BinaryWriter(stream, Encoding.UTF8);
            writer.Write(given is not null);
            if (given is { } values)
            {
                writer.Write(values.Notes.Count);
                foreach (var (name, text) in values.Notes)
                {
                    writer.Write(name);
                    writer.Write(text);
                }
                writer.Write(own.Length);
                foreach (var (name, value) in values.Tensors.Keys.Zip(own))
                {
                    writer.Write(name);
                    TensorType.Of(value).Write(writer);
                }
            }
            writer.Flush();
            return stream.ToArray();
        }
    }

    /// <summary>Gives rank 0 the tensors of all ranks.</summary>
    /// <param name="communicator">The world.</param>
    /// <param name="call">What this is about, for messages.</param>
    /// <param name="own">The tensors of this rank, by names that no other rank has.</param>
    /// <returns>On rank 0, those of all ranks; elsewhere the own ones.</returns>
    internal static IReadOnlyDictionary<string, Tensor> Collect(
        Communicator communicator, string call, IReadOnlyDictionary<string, Tensor> own)
    {
        if (communicator.Size == 1) return own;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(own.Count);
        var values = own.Values.Select(OnHost).ToArray();
        foreach (var (name, value) in own.Keys.Zip(values))
        {
            writer.Write(name);
            TensorType.Of(value).Write(writer);
        }
        writer.Flush();
        var headers = communicator.AllGather(call, stream.ToArray());
        var (rank, size) = (communicator.Rank, communicator.Size);
        var result = new Dictionary<string, Tensor>(own);
        // One rank after another, so that rank 0 needs memory for one piece.
        for (var from = 1; from < size; from++)
        {
            using var reader = new BinaryReader(new MemoryStream(headers[from]), Encoding.UTF8);
            var types = new TensorType[reader.ReadInt32()];
            var tensors = rank == from ? values : rank == 0 ? new Tensor[types.Length] : null;
            for (var i = 0; i < types.Length; i++)
            {
                var name = reader.ReadString();
                types[i] = TensorType.Read(reader);
                if (rank == 0) result.Add(name, tensors![i] = types[i].Allocate());
            }
            Carry(communicator, call, types, from, tensors, to: 0);
        }
        return result;
    }

    /// <summary>Gives all ranks a number and a tensor of each rank.</summary>
    /// <param name="communicator">The world.</param>
    /// <param name="call">What this is about, for messages.</param>
    /// <param name="number">The number of this rank.</param>
    /// <param name="tensor">The tensor of this rank; null: it has none.</param>
    /// <returns>Those of each rank, by rank.</returns>
    internal static (double Number, Tensor? Tensor)[] AllGather(
        Communicator communicator, string call, double number, Tensor? tensor)
    {
        if (communicator.Size == 1) return [(number, tensor)];
        var own = tensor is null ? null : OnHost(tensor);
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(number);
        writer.Write(own is not null);
        if (own is not null)
        {
            var type = TensorType.Of(own);
            type.Write(writer);
            writer.Flush();
            // What fits into a piece goes with the header.
            if (type.Bytes <= Piece) stream.Write(own.Bytes);
        }
        writer.Flush();
        var all = communicator.AllGather(call, stream.ToArray());
        var result = new (double Number, Tensor? Tensor)[all.Length];
        for (var rank = 0; rank < all.Length; rank++)
        {
            using var bytes = new MemoryStream(all[rank]);
            using var reader = new BinaryReader(bytes, Encoding.UTF8);
            result[rank].Number = reader.ReadDouble();
            if (!reader.ReadBoolean()) continue;
            var type = TensorType.Read(reader);
            var value = rank == communicator.Rank ? own! : type.Allocate();
            result[rank].Tensor = value;
            if (type.Bytes > Piece) Carry(communicator, call, [type], rank, [value]);
            else if (rank != communicator.Rank) all[rank].AsSpan((int)bytes.Position).CopyTo(value.Bytes);
        }
        return result;
    }

    /// <summary>A digest of the elements of tensors, in their order: the same for the same bits.</summary>
    internal static string DigestOf(IEnumerable<Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in tensors.Select(OnHost))
        {
            hash.AppendData(tensor.Bytes);
            GC.KeepAlive(tensor);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static Tensor OnHost(Tensor tensor)
    {
        using var _ = new NoGrad();
        return tensor.Detach().To(Device.Cpu).Contiguous();
    }

    // The bytes of tensors, whose types all ranks know, from one rank to another, or to all, a piece at a time.
    private static void Carry(
        Communicator communicator, string call, TensorType[] types, int from, Tensor[]? tensors, int? to = null)
    {
        var (rank, size) = (communicator.Rank, communicator.Size);
        foreach (var (parts, length) in PiecesOf(types))
        {
            var (sends, receives) = (new ReadOnlyMemory<byte>[size], new Memory<byte>[size]);
            if (rank == from)
            {
                var bytes = Joined(tensors!, parts, length);
                for (var other = 0; other < size; other++)
                    if (other != from && (to ?? other) == other) sends[other] = bytes;
            }
            else if ((to ?? rank) == rank) receives[from] = Wire.Pinned(length);
            communicator.Begin(call, sends, receives, $"({length} bytes of rank {from})").Wait();
            if (receives[from].Length > 0) Spread(receives[from].Span, tensors!, parts);
        }
    }

    // The bytes of tensors, one after another, cut into pieces.
    private static IEnumerable<((int Tensor, int Start, int Length)[] Parts, int Length)> PiecesOf(TensorType[] types)
    {
        var (parts, length) = (new List<(int, int, int)>(), 0);
        for (var i = 0; i < types.Length; i++)
        {
            var bytes = checked((int)types[i].Bytes);
            for (var start = 0; start < bytes;)
            {
                var part = Math.Min(bytes - start, Piece - length);
                parts.Add((i, start, part));
                (start, length) = (start + part, length + part);
                if (length < Piece) continue;
                yield return ([.. parts], length);
                parts.Clear();
                length = 0;
            }
        }
        if (length > 0) yield return ([.. parts], length);
    }

    private static byte[] Joined(Tensor[] tensors, (int Tensor, int Start, int Length)[] parts, int length)
    {
        var (bytes, at) = (Wire.Pinned(length), 0);
        foreach (var (tensor, start, count) in parts)
        {
            tensors[tensor].Bytes.Slice(start, count).CopyTo(bytes.AsSpan(at));
            at += count;
        }
        GC.KeepAlive(tensors);
        return bytes;
    }

    private static void Spread(
        ReadOnlySpan<byte> bytes, Tensor[] tensors, (int Tensor, int Start, int Length)[] parts)
    {
        foreach (var (tensor, start, count) in parts)
        {
            bytes[..count].CopyTo(tensors[tensor].Bytes.Slice(start, count));
            bytes = bytes[count..];
        }
        GC.KeepAlive(tensors);
    }

    private readonly record struct TensorType(DType DType, int[] Sizes)
    {
        public long Bytes => Sizes.Aggregate((long)DType.Size(), (bytes, size) => bytes * size);

        public static TensorType Of(Tensor tensor) => new(tensor.DType, [.. tensor.Shape.Sizes]);

        public static TensorType Read(BinaryReader reader)
        {
            var (type, sizes) = ((DType)reader.ReadByte(), new int[reader.ReadInt32()]);
            for (var i = 0; i < sizes.Length; i++) sizes[i] = reader.ReadInt32();
            return new(type, sizes);
        }

        public void Write(BinaryWriter writer)
        {
            writer.Write((byte)DType);
            writer.Write(Sizes.Length);
            foreach (var size in Sizes) writer.Write(size);
        }

        public Tensor Allocate() => Tensor.Empty(Sizes, DType, Device.Cpu).Keep();
    }
}
