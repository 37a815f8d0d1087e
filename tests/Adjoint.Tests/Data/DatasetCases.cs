using Adjoint.Data;
using Adjoint.Tests.Cli;

namespace Adjoint.Tests.Data;

/// <summary>A row of the table of data sets.</summary>
/// <param name="Name">That of the type that loads it, and after a comma of the data set.</param>
/// <param name="Load">From a folder, into which small files of its form are written where it reads some.</param>
/// <param name="Counts">Of the training, validation and test samples; −1 where there is no test part.</param>
/// <param name="Sample">The shape of a sample.</param>
/// <param name="Classes">How many there are; 0: the targets are no classes, but tokens.</param>
/// <param name="Value">What the first element of a sample of a class is, where the class says it.</param>
internal sealed record DatasetCase(
    string Name, Func<string, DataSplits> Load, (int Train, int Validation, int Test) Counts, int[] Sample,
    int Classes, Func<int, double>? Value = null);

/// <summary>The table of data sets; what follows from a row is in <see cref="DatasetCasesTests"/>.</summary>
internal static class DatasetCases
{
    private const int CifarRecord = 3073;

    internal static IReadOnlyList<DatasetCase> All { get; } =
    [
        new("Synth", _ => Synth.Create(seed: 3, train: 70, validation: 30), (70, 30, -1), [2], 2),
        new("BracketLanguage", _ => new BracketLanguage().Create(16, seed: 3, 70, 30), (70, 30, -1), [16], 0),
        new("ArithmeticLanguage", _ => new ArithmeticLanguage().Create(16, seed: 3, 70, 30), (70, 30, -1), [16], 0),
        new("Mnist, mnist", folder => Digits(folder, "mnist"), (200, 5000, 100), [1, 28, 28], 10,
            label => label * 25 / 255.0),
        new("Mnist, fashion-mnist", folder => Digits(folder, "fashion-mnist"), (200, 5000, 100), [1, 28, 28], 10,
            label => label * 25 / 255.0),
        new("Cifar10, cifar10", Images, (10, 5000, 20), [3, 32, 32], 10, label => label * 25 / 127.5 - 1),
    ];

    private static DataSplits Digits(string folder, string name)
    {
        TinyMnist.Write(folder);
        return Mnist.Load(folder, name);
    }

    // The higher the label, the brighter.
    private static DataSplits Images(string folder)
    {
        for (var batch = 1; batch <= 5; batch++) Write($"data_batch_{batch}.bin", 1002);
        Write("test_batch.bin", 20);
        return Cifar10.Load(folder);

        void Write(string name, int records)
        {
            var bytes = new byte[records * CifarRecord];
            for (var i = 0; i < records; i++)
            {
                bytes[i * CifarRecord] = (byte)(i % 10);
                bytes.AsSpan(i * CifarRecord + 1, CifarRecord - 1).Fill((byte)(i % 10 * 25));
            }
            File.WriteAllBytes(Path.Combine(folder, name), bytes);
        }
    }
}
