using Adjoint.Data;
using Adjoint.Formats;

namespace Adjoint.Tests.Formats;

public sealed class ImageFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Folders_are_classes_in_the_order_of_their_names()
    {
        for (var i = 0; i < 3; i++) Gray($"zebra/{i}.png", (byte)(10 + i));
        for (var i = 0; i < 2; i++) Gray($"ant/sub/{i}.png", (byte)(100 + i));
        File.WriteAllText(Put("ant/notes.txt"), "x");
        File.WriteAllText(Put("ant/.DS_Store"), "x");
        File.WriteAllText(Put(".git/config"), "x");
        var data = ImageFolder.Open(folder);
        Assert.Equal(["ant", "zebra"], data.ClassNames);
        Assert.Equal(5, data.Count);
        var (x, y) = data.Load(0, 1, 2, 3, 4);
        Assert.Equal([5, 1, 4, 3], x.Shape.Sizes);
        Assert.Equal([0L, 0, 1, 1, 1], y.ToArray<long>());
        Assert.Equal((float[])[100 / 255f, 101 / 255f, 10 / 255f, 11 / 255f, 12 / 255f],
            x.ToArray<float>().Chunk(12).Select(image => image[11]));
        Assert.Equal([0L, 0, 1, 1, 1], data.Column(Field.Targets).ToArray<long>());
        var sample = data[3];
        Assert.Equal([1, 4, 3], sample[Field.Inputs].Shape.Sizes);
        Assert.Equal(1L, sample[Field.Targets].ToArray<long>()[0]);
        Assert.Equal([("ant", 2), ("zebra", 3)], data.Summary.Classes);
        Assert.Equal([("hidden", 2), (".txt", 1)], data.Summary.Skipped);
        Assert.Equal((4, 3), data.Summary.Largest);
        Assert.True(data.Summary is { Layout: ImageLabels.Folders, HasOneSize: true, ColorCount: 0 });
    }

    [Fact]
    public void What_a_loader_gives_depends_on_neither_threads_nor_memory()
    {
        var random = new Random(8);
        for (var i = 0; i < 40; i++)
        {
            var pixels = new byte[random.Next(5, 30) * 3 * 12];
            random.NextBytes(pixels);
            Color($"{i % 4}/{i}.png", 12, pixels);
        }
        float[] Pass(int threads, int workers, long cache, int epochs)
        {
            var data = ImageFolder.Open(folder, new() { Size = (9, 8), Threads = threads, CacheBytes = cache });
            var loader = new DataLoader(data, 7, new()
            {
                Shuffle = true,
                Seed = 5,
                Workers = workers,
                Prefetch = 4,
                Transforms = [new RandomResizedCrop(), new RandomFlip()],
            });
            var result = Array.Empty<float>();
            for (var epoch = 0; epoch < epochs; epoch++)
                result = [.. loader.SelectMany(batch => batch.Inputs.ToArray<float>())];
            return result;
        }

        Assert.Equal(Pass(1, 1, 0, 2), Pass(3, 2, 1 << 20, 2));
        // There is room for a few of them.
        Assert.Equal(Pass(1, 1, 0, 2), Pass(2, 3, 1000, 2));
        Assert.NotEqual(Pass(1, 1, 0, 1), Pass(1, 1, 0, 2));
    }

    [Fact]
    public void Images_of_other_sizes_and_channels_are_made_alike()
    {
        Gray("a/gray.png", 60);
        Color("b/color.png", 2, [.. Enumerable.Range(0, 8 * 3).Select(i => (byte)(i % 3 * 50))]);
        Refused<AdjointException>(() => ImageFolder.Open(folder),
            "the images have different sizes, from 4×2 to 4×3; give the Size (height, width)");
        var color = ImageFolder.Open(folder, new() { Size = (2, 2) }).Load(0, 1).Inputs;
        Assert.Equal([2, 3, 2, 2], color.Shape.Sizes);
        Assert.All(color.ToArray<float>()[..12], value => Assert.Equal(60 / 255f, value));
        Assert.Equal((float[])[0, 0, 0, 0, 50, 50, 50, 50, 100, 100, 100, 100],
            color.ToArray<float>()[12..].Select(value => value * 255));
        var gray = ImageFolder.Open(folder, new() { Size = (2, 2), Channels = 1 }).Load(1).Inputs.ToArray<float>();
        Assert.Equal(Math.Round(0.587 * 50 + 0.114 * 100) / 255, gray[0], 1e-6);
    }

    [Fact]
    public void A_csv_file_gives_labels_and_weights()
    {
        for (var i = 0; i < 4; i++) Gray($"pictures/{i}.png", (byte)i);
        var csv = Put("labels.csv");
        File.WriteAllText(csv,
            "file,label,weight\npictures/2.png,none,1\npictures/0.png,cat,0.5\n\"pictures/3.png\",none,2\n");
        var data = ImageFolder.OpenCsv(csv);
        var batch = data.Load(0, 1, 2);
        Assert.Equal(["cat", "none"], data.ClassNames);
        Assert.Equal([1L, 0, 1], batch.Targets.ToArray<long>());
        Assert.Equal([1f, 0.5f, 2], batch.Weights!.ToArray<float>());
        Assert.Equal((float[])[2, 0, 3], batch.Inputs.ToArray<float>().Chunk(12).Select(image => image[0] * 255));
        foreach (var (rows, expected) in ((string, string)[])
            [
                ("file,label\npictures/0.png,a\npictures/9.png,b\n", "row 2: there is no file"),
                ("file,label\npictures/0.png,a\npictures/1.png,\n", "row 2: column label is empty; give pictures"),
                ("file,label\npictures/0.png,a\n./pictures/0.png,b\n", "was named in row 1 before; name it once"),
                ("file,label\npictures/0.png,a\npictures/1.png,a\n", "has one class alone, a"),
                ("file,label,weight\npictures/0.png,a,-1\npictures/1.png,b,1\n", "found -1, expected a weight of 0 or"),
            ])
        {
            File.WriteAllText(csv, rows);
            Refused<DataFormatException>(() => ImageFolder.OpenCsv(csv), expected);
        }
    }

    [Fact]
    public void Masks_belong_to_images_by_name_and_take_the_nearest_class()
    {
        for (var i = 0; i < 2; i++)
        {
            Gray($"images/{i}.png", (byte)(200 + i));
            File.WriteAllBytes(Put($"masks/{i}.png"), DamagedImageTests.Png(3, 4, 8, 0,
                [.. Enumerable.Range(0, 4).SelectMany(y => (byte[])[0, (byte)i, 1, y == 3 ? (byte)255 : (byte)2])]));
        }
        var data = ImageFolder.Open(folder);
        Assert.Equal(ImageLabels.Masks, data.Summary.Layout);
        Assert.Equal(["0", "1", "2"], data.ClassNames);
        var (x, y) = data.Load(0, 1);
        Assert.Equal([2, 1, 4, 3], x.Shape.Sizes);
        Assert.Equal([2, 4, 3], y.Shape.Sizes);
        Assert.Equal([0L, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, -100], y.ToArray<long>()[..12]);
        Assert.Equal([1L, 1, 2, 1, 1, 2], y.ToArray<long>()[12..18]);
        var small = ImageFolder.Open(folder, new() { Size = (2, 3), MaskClasses = ["a", "b", "c"] });
        Assert.Equal([0L, 1, 2, 0, 1, -100], small.Load(0).Targets.ToArray<long>());
        Assert.Equal(["a", "b", "c"], small.ClassNames);
        // A loader moves both alike.
        var batch = new DataLoader(data, 2, new() { Transforms = [new Resize(8, 6, Interpolation.Nearest)] }).First();
        Assert.Equal([2, 8, 6], batch.Targets.Shape.Sizes);

        Refused<DataFormatException>(
            () => ImageFolder.Open(folder, new() { MaskClasses = ["a", "b"] }).Load(0), "holds class 2; there are 2");
        Gray("images/more.png", 1);
        Refused<DataFormatException>(() => ImageFolder.Open(folder), "more.png: has no mask;");
        Gray("masks/more.png", 1, height: 5);
        Refused<DataFormatException>(() => ImageFolder.Open(folder).Load(2), "has 5×3 pixels, and its image");
        Gray("masks/other.png", 1);
        Refused<DataFormatException>(() => ImageFolder.Open(folder), "other.png: there is no image of that name");
    }

    [Fact]
    public void A_damaged_file_is_named_whatever_the_threads()
    {
        for (var i = 0; i < 30; i++) Gray($"{i % 2}/{i:00}.png", 7);
        File.WriteAllBytes(Put("0/04.png"), [1, 2, 3]);
        File.WriteAllBytes(Put("1/17.png"), [1, 2, 3]);
        for (var run = 0; run < 10; run++)
            Refused<DataFormatException>(() => ImageFolder.Open(folder, new() { Threads = 3 }), "04.png, offset 0");
        // The header is right, the pixels are not.
        File.WriteAllBytes(Put("0/04.png"), DamagedImageTests.Png(3, 4, 8, 0, [0]));
        Gray("1/17.png", 7);
        var data = ImageFolder.Open(folder, new() { Threads = 3 });
        for (var run = 0; run < 10; run++)
            Refused<DataFormatException>(
                () => data.Load([.. Enumerable.Range(0, 30)]), "04.png, offset");
    }

    [Fact]
    public void What_is_no_image_folder_is_refused_with_what_to_do()
    {
        Refused<DataFormatException>(() => ImageFolder.Open(Put("nothing")), "there is no such folder");
        Refused<DataFormatException>(() => ImageFolder.Open(folder), "holds no images, and no folders");
        Gray("loose.png", 1);
        Refused<DataFormatException>(() => ImageFolder.Open(folder), "holds 1 images, and no folders; put the images");
        Refused<DataFormatException>(() => ImageFolder.Open(Put("loose.png")), "is a file; name the folder");
        Gray("a/1.png", 1);
        Refused<DataFormatException>(() => ImageFolder.Open(folder), "holds 1 images beside the folders");
        File.Delete(Put("loose.png"));
        Refused<DataFormatException>(() => ImageFolder.Open(folder), "has one class alone, a;");
        File.WriteAllText(Put("b/1.webp"), "x");
        Refused<DataFormatException>(() => ImageFolder.Open(folder),
            "so the class b has none (skipped: 1 .webp); put some there, or remove the folder");
        Gray("b/1.png", 1);
        Assert.Equal(2, ImageFolder.Open(folder).Count);
        if (OperatingSystem.IsWindows()) return;
        Directory.CreateSymbolicLink(Put("b/again"), folder);
        Refused<DataFormatException>(() => ImageFolder.Open(folder), "b/again: is a link to");
    }

    [Fact]
    public void Wrong_options_are_refused()
    {
        foreach (var options in (ImageFolderOptions[])
            [
                new() { Channels = 2 }, new() { CacheBytes = -1 }, new() { MaxPixels = 0 }, new() { Threads = 0 },
            ])
            Refused<AdjointException>(() => ImageFolder.Open(folder, options), "ImageFolder: ");
        Gray("a/1.png", 1);
        Gray("b/1.png", 1);
        Refused<AdjointException>(() => ImageFolder.Open(folder, new() { Size = (0, 3) }), "found 0×3");
        Refused<AdjointException>(() => ImageFolder.Open(folder).Load(2), "there is no sample 2; use 0..1");
        Refused<DataFormatException>(() => ImageFolder.Open(folder, new() { MaxPixels = 11 }).Load(0),
            "has 3×4 pixels; at most 11 are read");
    }

    private string Put(string name)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private void Gray(string name, byte value, int height = 4) => File.WriteAllBytes(Put(name),
        DamagedImageTests.Png(3, height, 8, 0,
            [.. Enumerable.Range(0, height).SelectMany(_ => (byte[])[0, value, value, value])]));

    private void Color(string name, int width, byte[] pixels) => File.WriteAllBytes(Put(name),
        DamagedImageTests.Png(width, pixels.Length / 3 / width, 8, 2,
            [.. pixels.Chunk(3 * width).SelectMany(row => (byte[])[0, .. row])]));

    private static void Refused<T>(Action action, string expected) where T : AdjointException
    {
        var message = Assert.Throws<T>(action).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
