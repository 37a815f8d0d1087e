using System.Runtime.ExceptionServices;
using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>
/// Images in files, with labels: a folder for each class; a CSV file of file names and labels; or, for segmentation,
/// folders <c>images</c> and <c>masks</c>. Images are decoded and resized when a loader asks for them, several at once,
/// and kept in memory while there is room. Inputs are (channels, height, width), float32 from 0 to 1; targets the
/// class, int64, or the mask's classes (height, width), where −100 is ignored.
/// </summary>
public sealed class ImageFolder : Dataset
{
    private readonly ImageList list;
    private readonly ImagePreprocessing preprocessing;
    private readonly ImageFolderOptions options;
    private readonly byte[]?[] images;
    private readonly ushort[]?[] masks;
    private long cached;

    private ImageFolder(ImageList list, ImageFolderOptions options)
        : base(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(list.Root))))
    {
        (this.list, this.options) = (list, options);
        Summary = Survey(list, options.Threads);
        if (options.Size is null && !Summary.HasOneSize)
            throw new AdjointException(
                $"ImageFolder {list.Root}: the images have different sizes, from {Text(Summary.Smallest)} to "
                + $"{Text(Summary.Largest)}; give the Size (height, width) that all are resized to");
        var (height, width) = options.Size ?? Summary.Largest;
        preprocessing = new(options.Channels ?? (Summary.ColorCount > 0 ? 3 : 1), height, width)
        {
            Fit = options.Fit,
            Interpolation = options.Interpolation,
        };
        (images, masks) = (new byte[]?[list.Files.Length], new ushort[]?[list.Masks.Length]);
        ClassNames = list.Layout == ImageLabels.Masks ? MaskClasses() : list.ClassNames;
        Fields =
        [
            new(Field.Inputs, Shape.Create([preprocessing.Channels, height, width]), DType.Float32),
            new(Field.Targets, list.Layout == ImageLabels.Masks ? Shape.Create([height, width]) : Shape.Create([]),
                DType.Int64),
            .. list.Weights is null ? [] : (Field[])[new(Field.Weights, Shape.Create([]), DType.Float32)],
        ];

        static string Text((int Height, int Width) size) => $"{size.Height}×{size.Width}";
    }

    /// <summary>What the folder holds.</summary>
    public ImageFolderSummary Summary { get; }

    /// <summary>The path of each image, in the order of the samples.</summary>
    public IReadOnlyList<string> Files => list.Files;

    /// <inheritdoc/>
    public override int Count => list.Files.Length;

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields { get; }

    /// <inheritdoc/>
    public override Preprocessing? Preprocessing => preprocessing;

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            var (batch, sample) = (Load(index), new Sample());
            foreach (var (name, value) in batch.Names.Zip(batch.Tensors)) sample[name] = value[0];
            return sample;
        }
    }

    /// <summary>
    /// Opens a folder: the folders in it are the classes, in the order of their names; or they are <c>images</c> and
    /// <c>masks</c>, whose files belong together by name. Hidden files and those that are no PNG or JPEG by their
    /// ending are skipped, and counted in <see cref="Summary"/>. The headers of all images are read.
    /// </summary>
    /// <param name="folder">The path of the folder.</param>
    /// <param name="options">Size, channels and limits; null: the defaults.</param>
    /// <returns>The data set.</returns>
    /// <exception cref="DataFormatException">
    /// There are no images, a class has none or is alone, a mask is missing, or a file's header is damaged.
    /// </exception>
    /// <exception cref="AdjointException">Sizes differ and none is asked for, or an option is out of range.</exception>
    public static ImageFolder Open(string folder, ImageFolderOptions? options = null)
    {
        options ??= new();
        options.Check();
        return new(ImageList.OfFolder(folder), options);
    }

    /// <summary>
    /// Opens the images that a CSV file names: a column of file names, one of labels, and perhaps one of weights. The
    /// classes are the labels, in order.
    /// </summary>
    /// <param name="path">The path of the CSV file.</param>
    /// <param name="folder">What the file names are relative to; null: the folder of the CSV file.</param>
    /// <param name="options">Size, channels and limits; null: the defaults.</param>
    /// <returns>The data set.</returns>
    /// <exception cref="DataFormatException">
    /// A row has no label, or names no file or one twice; there is one class alone; a file's header is damaged.
    /// </exception>
    /// <exception cref="AdjointException">Sizes differ and none is asked for, or an option is out of range.</exception>
    public static ImageFolder OpenCsv(string path, string? folder = null, ImageFolderOptions? options = null)
    {
        options ??= new();
        options.Check();
        return new(ImageList.OfCsv(path, folder), options);
    }

    /// <summary>Says what a folder holds, from names and headers alone.</summary>
    /// <param name="folder">The path of the folder, or of a CSV file of images and labels.</param>
    /// <returns>Layout, classes, sizes, and what was skipped.</returns>
    /// <exception cref="DataFormatException">It could not be opened either.</exception>
    public static ImageFolderSummary Survey(string folder) =>
        Survey(File.Exists(folder) ? ImageList.OfCsv(folder, null) : ImageList.OfFolder(folder),
            Environment.ProcessorCount);

    /// <inheritdoc/>
    public override Batch Load(params ReadOnlySpan<int> indices)
    {
        foreach (var index in indices)
            if ((uint)index >= (uint)Count)
                throw new AdjointException($"Dataset {Name}: there is no sample {index}; use 0..{Count - 1}");
        var (chosen, pixels) = (indices.ToArray(), preprocessing.Height * preprocessing.Width);
        var inputs = new float[chosen.Length * preprocessing.Channels * pixels];
        var classes = new long[list.Masks.Length > 0 ? chosen.Length * pixels : 0];
        var length = preprocessing.Channels * pixels;
        // What is in memory is quicker than a hand-off to other threads.
        var threads = chosen.All(index => images[index] is not null) ? 1 : options.Threads;
        ForEach(chosen.Length, threads, i =>
        {
            ImagePreprocessing.ToValues(Image(chosen[i]), inputs.AsSpan(i * length, length));
            if (list.Masks.Length == 0) return;
            var mask = Mask(chosen[i]);
            for (var p = 0; p < pixels; p++)
                classes[i * pixels + p] = mask[p] == options.IgnoredMaskValue ? Loss.IgnoredLabel : mask[p];
        });
        var targets = list.Masks.Length > 0
            ? Tensor.From(classes, chosen.Length, preprocessing.Height, preprocessing.Width)
            : Tensor.From([.. chosen.Select(index => (long)list.Labels[index])], chosen.Length);
        var batch = new Batch(
            (Field.Inputs,
                Tensor.From(inputs, chosen.Length, preprocessing.Channels, preprocessing.Height, preprocessing.Width)),
            (Field.Targets, targets));
        return list.Weights is null
            ? batch
            : batch.With(Field.Weights, Tensor.From([.. chosen.Select(index => list.Weights[index])], chosen.Length));
    }

    /// <inheritdoc/>
    public override Tensor Column(string field) => field switch
    {
        Field.Targets when list.Masks.Length == 0 => Tensor.From([.. list.Labels.Select(label => (long)label)], Count),
        Field.Weights when list.Weights is not null => Tensor.From(list.Weights, Count),
        _ => base.Column(field),
    };

    private static ImageFolderSummary Survey(ImageList list, int threads)
    {
        var headers = new ImageInfo[list.Files.Length];
        ForEach(headers.Length, threads, i => headers[i] = ImageFile.Inspect(list.Files[i]));
        var sizes = headers.Select(header => (header.Height, header.Width)).Distinct()
            .OrderBy(size => (long)size.Height * size.Width).ToArray();
        var counts = new int[list.ClassNames.Length];
        foreach (var label in list.Labels) counts[label]++;
        return new(list.Layout, headers.Length, [.. list.ClassNames.Zip(counts)], sizes[0], sizes[^1],
            sizes.Length == 1, headers.Count(header => header.Channels == 3),
            [.. list.Skipped.OrderByDescending(entry => entry.Value).Select(entry => (entry.Key, entry.Value))]);
    }

    private byte[] Image(int index)
    {
        if (images[index] is { } ready) return ready;
        var path = list.Files[index];
        var (pixels, channels, height, width) = ImageFile.Bytes(RegularFile.ReadAllBytes(path, int.MaxValue), path,
            new() { Channels = preprocessing.Channels, MaxPixels = options.MaxPixels });
        var result = preprocessing.Resize(pixels, channels, height, width, preprocessing.Interpolation);
        if (HasRoom(result.Length)) images[index] = result;
        return result;
    }

    private ushort[] Mask(int index)
    {
        if (masks[index] is { } ready) return ready;
        var (path, image) = (list.Masks[index], ImageFile.Inspect(list.Files[index]));
        var mask = ReadMask(index);
        if ((mask.Height, mask.Width) != (image.Height, image.Width))
            throw new DataFormatException($"{path}: has {mask.Height}×{mask.Width} pixels, and its image "
                + $"{list.Files[index]} {image.Height}×{image.Width}; both must have the same size");
        foreach (var value in mask.Samples)
            if (value >= ClassNames.Count && value != options.IgnoredMaskValue)
                throw new DataFormatException($"{path}: holds class {value}; there are {ClassNames.Count}, from 0 to "
                    + $"{ClassNames.Count - 1}");
        var result = preprocessing.Resize(mask.Samples, mask.Height, mask.Width);
        if (HasRoom(2L * result.Length)) masks[index] = result;
        return result;
    }

    private Raster<ushort> ReadMask(int index) => ImageFile.Mask(list.Masks[index], options.MaxPixels);

    private string[] MaskClasses()
    {
        var beside = Path.Combine(list.Root, "classes.txt");
        string[] names = options.MaskClasses is { } given ? [.. given]
            : File.Exists(beside) ? [.. File.ReadAllLines(beside).Where(line => line.Trim().Length > 0)]
            : [];
        if (names.Length == 0)
        {
            var most = new int[list.Masks.Length];
            ForEach(most.Length, options.Threads, i =>
            {
                foreach (var value in ReadMask(i).Samples)
                    if (value != options.IgnoredMaskValue) most[i] = Math.Max(most[i], value);
            });
            names = [.. Enumerable.Range(0, most.Max() + 1).Select(number => $"{number}")];
        }
        return names.Length >= 2
            ? names
            : throw new DataFormatException($"{list.Root}: the masks have one class alone; there is nothing to tell "
                + "apart");
    }

    private bool HasRoom(long length)
    {
        if (Interlocked.Add(ref cached, length) <= options.CacheBytes) return true;
        Interlocked.Add(ref cached, -length);
        return false;
    }

    // The first failure by position is thrown, whichever came first.
    private static void ForEach(int count, int threads, Action<int> action)
    {
        if (threads == 1 || count == 1)
        {
            for (var i = 0; i < count; i++) action(i);
            return;
        }
        var (sync, first, failure) = (new Lock(), int.MaxValue, (Exception?)null);
        Parallel.For(0, count, new() { MaxDegreeOfParallelism = threads }, i =>
        {
            if (i > Volatile.Read(ref first)) return;
            try
            {
                action(i);
            }
            catch (Exception error)
            {
                lock (sync)
                    if (i < first) (first, failure) = (i, error);
            }
        });
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }
}
