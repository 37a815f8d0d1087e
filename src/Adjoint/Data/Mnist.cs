namespace Adjoint.Data;

/// <summary>
/// MNIST (LeCun, Cortes, Burges 1998) and Fashion-MNIST (Xiao et al. 2017): 28×28 grey images in ten classes, pixels divided by 255 unless asked otherwise. The last 5,000 training
/// images are the validation part.
/// </summary>
public static class Mnist
{
    private const int ValidationCount = 5_000;

    /// <summary>Digits 0 to 9.</summary>
    public static IReadOnlyList<string> Digits { get; } = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    /// <summary>The classes of Fashion-MNIST.</summary>
    public static IReadOnlyList<string> Garments { get; } = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];

    /// <summary>Reads the four files in a folder, gzip or not.</summary>
    /// <param name="folder">Where they lie.</param>
    /// <param name="name">mnist or fashion-mnist.</param>
    /// <param name="divisor">What pixels, 0 to 255, are divided by. The course's engine leaves them as they are: 1.</param>
    /// <exception cref="DataFormatException">A file is missing or not what it should be.</exception>
    public static DataSplits Load(string folder, string name = "mnist", float divisor = 255)
    {
        var classes = name == "fashion-mnist" ? Garments : Digits;
        var all = Read(folder, "train", name, classes, divisor);
        if (all.Count <= ValidationCount)
            throw new DataFormatException(Path.Combine(folder, "train-images-idx3-ubyte"), 4, $"{all.Count} images", $"more than the {ValidationCount} of the validation part");
        var count = all.Count - ValidationCount;
        return new(all.Part(name, 0, count), all.Part(name, count, ValidationCount), Read(folder, "t10k", name, classes, divisor));
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
            throw new DataFormatException(labelFile, 4, $"{labelSizes[0]} labels", $"{sizes[0]}, one for each image of {Path.GetFileName(imageFile)}");
        var wrong = Array.FindIndex(labels, label => label > 9);
        if (wrong >= 0)
            throw new DataFormatException(labelFile, 8 + wrong, $"label {labels[wrong]}", "0 to 9");
        return new Dataset(name, (int[])[1, 28, 28], Array.ConvertAll(pixels, pixel => pixel / divisor), labels, classes);
    }
}
