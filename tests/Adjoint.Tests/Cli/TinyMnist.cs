using System.Buffers.Binary;

namespace Adjoint.Tests.Cli;

/// <summary>Digits that a glance tells apart, as files of MNIST's form: the higher, the brighter.</summary>
internal static class TinyMnist
{
    private const int Pixels = 28 * 28;

    internal static void Write(string folder)
    {
        Write(folder, "train", 5_200);
        Write(folder, "t10k", 100);
    }

    private static void Write(string folder, string part, int count)
    {
        var (images, labels) = (new byte[16 + count * Pixels], new byte[8 + count]);
        Head(images, 2051, count, 28, 28);
        Head(labels, 2049, count);
        for (var i = 0; i < count; i++)
        {
            labels[8 + i] = (byte)(i % 10);
            images.AsSpan(16 + i * Pixels, Pixels).Fill((byte)(i % 10 * 25));
        }
        File.WriteAllBytes(Path.Combine(folder, $"{part}-images-idx3-ubyte"), images);
        File.WriteAllBytes(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), labels);
    }

    private static void Head(Span<byte> file, params ReadOnlySpan<int> numbers)
    {
        for (var i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteInt32BigEndian(file[(4 * i)..], numbers[i]);
    }
}
