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
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var name = reader.ReadString();
            var value = ReadEmpty(reader);
            tensors.Add(name, isRoot ? own[tensors.Count] : value);
        }
        Tensor[] all = [.. tensors.Values];
        foreach (var (pieces, length) in PiecesOf(all))
        {
            var bytes = communicator.Broadcast(call, isRoot ? Joined(pieces, length) : [], root);
            if (!isRoot) Spread(bytes, pieces);
        }
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
                    WriteType(writer, value);
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
            WriteType(writer, value);
        }
        writer.Flush();
        var headers = communicator.AllGather(call, stream.ToArray());
        var (rank, size) = (communicator.Rank, communicator.Size);
        var result = new Dictionary<string, Tensor>(own);
        var parts = new Tensor[size][];
        for (var from = 0; from < size; from++)
        {
            using var reader = new BinaryReader(new MemoryStream(headers[from]), Encoding.UTF8);
            parts[from] = new Tensor[reader.ReadInt32()];
            for (var i = 0; i < parts[from].Length; i++)
            {
                var (name, value) = (reader.ReadString(), ReadEmpty(reader));
                parts[from][i] = from == rank ? values[i] : value;
                if (rank == 0 && from > 0) result.Add(name, value);
            }
        }
        // One rank after another, so that rank 0 needs memory for one piece.
        for (var from = 1; from < size; from++)
            foreach (var (pieces, length) in PiecesOf(parts[from]))
            {
                var (sends, receives) = (new ReadOnlyMemory<byte>[size], new Memory<byte>[size]);
                if (rank == from) sends[0] = Joined(pieces, length);
                if (rank == 0) receives[from] = Wire.Pinned(length);
                communicator.Begin(call, sends, receives, $"{length} bytes of rank {from}").Wait();
                if (rank == 0) Spread(receives[from].Span, pieces);
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
            WriteType(writer, own);
            writer.Flush();
            // What fits into a piece goes with the header.
            if (LengthOf(own) <= Piece) stream.Write(own.Bytes);
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
            var value = ReadEmpty(reader);
            if (LengthOf(value) <= Piece) all[rank].AsSpan((int)bytes.Position).CopyTo(value.Bytes);
            else
            {
                var isOwn = rank == communicator.Rank;
                foreach (var (pieces, length) in PiecesOf([isOwn ? own! : value]))
                {
                    var piece = communicator.Broadcast(call, isOwn ? Joined(pieces, length) : [], rank);
                    if (!isOwn) Spread(piece, pieces);
                }
                if (isOwn) value = own;
            }
            result[rank].Tensor = value;
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

    private static long LengthOf(Tensor tensor) => (long)tensor.Length * tensor.DType.Size();

    private static void WriteType(BinaryWriter writer, Tensor tensor)
    {
        writer.Write((byte)tensor.DType);
        writer.Write(tensor.Rank);
        foreach (var size in tensor.Shape.Sizes) writer.Write(size);
    }

    private static Tensor ReadEmpty(BinaryReader reader)
    {
        var (type, sizes) = ((DType)reader.ReadByte(), new int[reader.ReadInt32()]);
        for (var i = 0; i < sizes.Length; i++) sizes[i] = reader.ReadInt32();
        return Tensor.Empty(sizes, type, Device.Cpu).Keep();
    }

    // The bytes of tensors, one after another, cut into pieces.
    private static IEnumerable<((Tensor Tensor, int Start, int Length)[] Parts, int Length)> PiecesOf(Tensor[] tensors)
    {
        var (parts, length) = (new List<(Tensor, int, int)>(), 0);
        foreach (var tensor in tensors)
        {
            var bytes = checked((int)LengthOf(tensor));
            for (var start = 0; start < bytes;)
            {
                var part = Math.Min(bytes - start, Piece - length);
                parts.Add((tensor, start, part));
                (start, length) = (start + part, length + part);
                if (length < Piece) continue;
                yield return ([.. parts], length);
                parts.Clear();
                length = 0;
            }
        }
        if (length > 0) yield return ([.. parts], length);
    }

    private static byte[] Joined((Tensor Tensor, int Start, int Length)[] parts, int length)
    {
        var (bytes, at) = (Wire.Pinned(length), 0);
        foreach (var (tensor, start, count) in parts)
        {
            tensor.Bytes.Slice(start, count).CopyTo(bytes.AsSpan(at));
            at += count;
        }
        return bytes;
    }

    private static void Spread(ReadOnlySpan<byte> bytes, (Tensor Tensor, int Start, int Length)[] parts)
    {
        foreach (var (tensor, start, count) in parts)
        {
            bytes[..count].CopyTo(tensor.Bytes.Slice(start, count));
            bytes = bytes[count..];
        }
    }
}
