namespace Adjoint.Data;

/// <summary>
/// CIFAR-10 (Krizhevsky 2009), binary version: 32×32 color images in ten classes, records of 1 label and 3,072 pixels
/// (red, green, blue planes), scaled to [−1, 1]. The last 5,000 training images are the validation split.
/// </summary>
public static class Cifar10
{
    private const int RecordLength = 1 + Pixels;
    private const int Pixels = 3 * 32 * 32;
    private const int ValidationCount = 5_000;

    /// <summary>The names of the ten classes, in the order of their labels.</summary>
    public static IReadOnlyList<string> Classes { get; } =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Reads the six files of the data set.</summary>
    /// <param name="folder">The folder that holds the files.</param>
    /// <returns>The training, validation and test samples (3, 32, 32).</returns>
    /// <exception cref="DataFormatException">A file is missing or damaged.</exception>
    public static DataSplits Load(string folder)
    {
        var all = Read([.. Enumerable.Range(1, 5).Select(number => Find(folder, $"data_batch_{number}.bin"))]);
        if (all.Count <= ValidationCount)
            throw new DataFormatException(Path.Combine(folder, "data_batch_1.bin"), 0,
                $"{all.Count} training records in all", $"more than the {ValidationCount} of the validation part");
        var count = all.Count - ValidationCount;
        return new(all.Slice("cifar10", 0, count), all.Slice("cifar10", count, ValidationCount),
            Read([Find(folder, "test_batch.bin")]));
    }

    private static string Find(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? path : throw new DataFormatException(path, 0, "no file",
            $"{name}, one of the six files of CIFAR-10's binary version; adjoint data fetch cifar10 brings them");
    }

    private static Dataset Read(string[] files)
    {
        var total = 0L;
        foreach (var file in files)
        {
            using var opened = RegularFile.Open(file);
            var length = opened.Length;
            if (length == 0 || length % RecordLength != 0)
                throw new DataFormatException(file, length - length % RecordLength, $"a length of {length} bytes",
                    $"a multiple of {RecordLength}, the length of a record; remove the file, and adjoint data fetch "
                    + "cifar10 brings it anew");
            total += length / RecordLength;
        }
        if (total > Array.MaxLength / Pixels)
            throw new DataFormatException(files[0], 0, $"{total} records in all",
                $"at most {Array.MaxLength / Pixels}, what fits an array");
        var records = files.Select(file => RegularFile.ReadAllBytes(file, Array.MaxLength)).ToArray();
        var count = records.Sum(bytes => bytes.Length / RecordLength);
        var (inputs, labels) = (new float[(long)count * Pixels], new byte[count]);
        var at = 0;
        for (var f = 0; f < files.Length; f++)
            for (var start = 0; start < records[f].Length; start += RecordLength, at++)
            {
                labels[at] = records[f][start] <= 9
                    ? records[f][start]
                    : throw new DataFormatException(files[f], start, $"label {records[f][start]}", "0 to 9");
                for (var i = 0; i < Pixels; i++) inputs[at * Pixels + i] = records[f][start + 1 + i] / 127.5f - 1;
            }
        return new TensorDataset("cifar10", (int[])[3, 32, 32], inputs, labels, Classes);
    }
}
