namespace Adjoint.Data;

/// <summary>A file that can be downloaded.</summary>
/// <param name="Name">The name of the file on disk.</param>
/// <param name="Length">The length of the file, in bytes.</param>
/// <param name="Sha256">The SHA-256 of the file, in lower-case hexadecimal.</param>
/// <param name="Mirrors">The addresses to download it from, best first.</param>
public sealed record RemoteFile(string Name, long Length, string Sha256, IReadOnlyList<Uri> Mirrors);

/// <summary>A data set that can be downloaded.</summary>
/// <param name="Name">The name of the data set.</param>
/// <param name="Folder">The folder of its files, below the root of all data sets.</param>
/// <param name="Files">The files to download.</param>
/// <param name="Unpacked">If the one file is a tar archive, the files to extract from it; else empty.</param>
public sealed record RemoteDataset(string Name, string Folder, IReadOnlyList<RemoteFile> Files,
    IReadOnlyList<string> Unpacked)
{
    /// <summary>The data sets that can be downloaded.</summary>
    public static IReadOnlyList<RemoteDataset> All { get; } =
    [
        new("mnist", "mnist",
        [
            .. Idx(["https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/"],
            [
                ("train-images-idx3-ubyte.gz", 9_912_422,
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                ("train-labels-idx1-ubyte.gz", 28_881,
                    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                ("t10k-images-idx3-ubyte.gz", 1_648_877,
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                ("t10k-labels-idx1-ubyte.gz", 4_542,
                    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            ]),
        ], []),
        new("fashion-mnist", "fashion-mnist",
        [
            .. Idx(["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"],
            [
                ("train-images-idx3-ubyte.gz", 26_421_880,
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
                ("train-labels-idx1-ubyte.gz", 29_515,
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
                ("t10k-images-idx3-ubyte.gz", 4_422_102,
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
                ("t10k-labels-idx1-ubyte.gz", 5_148,
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
            ]),
        ], []),
        new("cifar10", "cifar-10-batches-bin",
            [new("cifar-10-binary.tar.gz", 170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                [new("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz")])],
            [.. Enumerable.Range(1, 5).Select(number => $"data_batch_{number}.bin"), "test_batch.bin"]),
    ];

    private static IEnumerable<RemoteFile> Idx(string[] mirrors, (string Name, long Length, string Sha256)[] files) =>
        files.Select(
            file => new RemoteFile(file.Name, file.Length, file.Sha256,
                [.. mirrors.Select(mirror => new Uri(mirror + file.Name))]));
}
