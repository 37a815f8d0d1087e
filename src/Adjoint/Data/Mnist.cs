namespace Adjoint.Data;

/// <summary>
/// MNIST (LeCun, Cortes, Burges 1998) and Fashion-MNIST (Xiao et al. 2017): 28×28 gray images in ten classes, pixels
/// divided by 255 by default. The last 5,000 training images are the validation split.
/// </summary>
public static class Mnist
{
    private const int ValidationCount = 5_000;

    /// <summary>The names of MNIST's classes: the digits 0 to 9.</summary>
    public static IReadOnlyList<string> Digits { get; } = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    /// <summary>The names of Fashion-MNIST's classes, in the order of their labels.</summary>
    public static IReadOnlyList<string> Garments { get; } =
        ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];

    /// <summary>Reads the four files of the data set, gzip or plain.</summary>
    /// <param name="folder">The folder that holds the files.</param>
    /// <param name="name">The data set: <c>mnist</c> or <c>fashion-mnist</c>.</param>
    /// <param name="divisor">The number that pixels, 0 to 255, are divided by; the course's engine uses 1.</param>
    /// <returns>The training, validation and test samples (1, 28, 28).</returns>
    /// <exception cref="DataFormatException">A file is missing or damaged.</exception>
    public static DataSplits Load(string folder, string name = "mnist", float divisor = 255)
    {
        var classes = name == "fashion-mnist" ? Garments : Digits;
        var all = Read(folder, "train", name, classes, divisor);
        if (all.Count <= ValidationCount)
            throw new DataFormatException(Path.Combine(folder, "train-images-idx3-ubyte"), 4, $"{all.Count} images",
                $"more than the {ValidationCount} of the validation part");
        var count = all.Count - ValidationCount;
        return new(all.Slice(name, 0, count), all.Slice(name, count, ValidationCount),
            Read(folder, "t10k", name, classes, divisor));
    }

    private static Dataset Read(string folder, string part, string name, IReadOnlyList<string> classes, float divisor)
    {
        var imageFile = DataFolder.Find(folder, $"{part}-images-idx3-ubyte", name);
        var labelFile = DataFolder.Find(folder, $"{part}-labels-idx1-ubyte", name);
        var (sizes, pixels) = IdxFile.Read(imageFile, 3);
        var (labelSizes, labels) = IdxFile.Read(labelFile, 1);
        if (sizes[1] != 28 || sizes[2] != 28)
            throw new DataFormatException(imageFile, 8, $"images of {sizes[1]}×{sizes[2]}", "28×28");
        if (labelSizes[0] != sizes[0])
            throw new DataFormatException(labelFile, 4, $"{labelSizes[0]} labels",
                $"{sizes[0]}, one for each image of {Path.GetFileName(imageFile)}");
        var wrong = Array.FindIndex(labels, label => label > 9);
        if (wrong >= 0)
            throw new DataFormatException(labelFile, 8 + wrong, $"label {labels[wrong]}", "0 to 9");
        return new TensorDataset(name, (int[])[1, 28, 28], Array.ConvertAll(pixels, pixel => pixel / divisor), labels,
            classes)
        { Preprocessing = divisor == 255 ? new ImagePreprocessing(1, 28, 28) : null };
    }
}
