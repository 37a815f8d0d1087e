using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>Images and their labels, found but not read yet.</summary>
/// <param name="Root">The folder or the file that was named.</param>
/// <param name="Layout">How the labels are given.</param>
/// <param name="Files">The paths of the images, in order.</param>
/// <param name="ClassNames">The names of the classes; of masks, empty.</param>
/// <param name="Labels">The class of each image; of masks, empty.</param>
/// <param name="Masks">The path of each image's mask; empty without masks.</param>
/// <param name="Weights">The weight of each image; null: all weigh 1.</param>
/// <param name="Skipped">What was skipped, by kind.</param>
internal sealed record ImageList(string Root, ImageLabels Layout, string[] Files, string[] ClassNames, int[] Labels,
    string[] Masks, float[]? Weights, Dictionary<string, int> Skipped)
{
    // Deeper folders than anybody has: links that lead in circles.
    private const int MaxDepth = 64;

    /// <summary>Finds what a folder holds: a folder for each class, or images and masks.</summary>
    internal static ImageList OfFolder(string root)
    {
        if (File.Exists(root))
            throw new DataFormatException($"{root}: is a file; name the folder that holds a folder for each class");
        if (!Directory.Exists(root)) throw new DataFormatException($"{root}: there is no such folder");
        var skipped = new Dictionary<string, int>();
        var folders = Entries(root, skipped, out var loose);
        if (folders.Select(Path.GetFileName).Order(StringComparer.Ordinal).SequenceEqual(["images", "masks"]))
            return OfMasks(root, skipped);
        return OfClasses(root, folders, loose, skipped);
    }

    /// <summary>Finds the images that the rows of a CSV file name: file, label, and perhaps weight.</summary>
    internal static ImageList OfCsv(string path, string? folder)
    {
        // "None" may be a class.
        var table = CsvFile.Read(path, new() { MissingWords = [] });
        if (table.Columns.Count is < 2 or > 3)
            throw new DataFormatException($"{path}: has {table.Columns.Count} columns; a list of images has two, file "
                + "and label, or three, with weight");
        var (names, labels) = (table.Columns[0], table.Columns[1]);
        folder ??= Path.GetDirectoryName(Path.GetFullPath(path))!;
        var (files, seen) = (new string[table.RowCount], new Dictionary<string, int>());
        for (var row = 0; row < files.Length; row++)
        {
            var name = names.Text(row) ?? throw Row(row, $"column {names.Name} is empty; name a file");
            if (labels.IsMissing(row)) throw Row(row, $"column {labels.Name} is empty; give {name} a label");
            files[row] = Path.GetFullPath(Path.Combine(folder, name));
            if (!File.Exists(files[row])) throw Row(row, $"there is no file {files[row]}");
            if (!seen.TryAdd(files[row], row))
                throw Row(row, $"{name} was named in row {table.RowNumber(seen[files[row]])} before; name it once");
        }
        if (files.Length == 0) throw new DataFormatException($"{path}: names no images");
        string[] classes = [.. Enumerable.Range(0, files.Length).Select(row => labels.Text(row)!).Distinct()
            .Order(StringComparer.Ordinal)];
        RequireClasses(path, classes);
        var positions = classes.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        float[]? weights = table.Columns.Count == 3 ? [.. Enumerable.Range(0, files.Length).Select(Weight)] : null;
        return new(path, ImageLabels.Csv, files, classes,
            [.. Enumerable.Range(0, files.Length).Select(row => positions[labels.Text(row)!])], [], weights, []);

        float Weight(int row) => float.TryParse(table.Columns[2].Text(row), System.Globalization.CultureInfo
            .InvariantCulture, out var weight) && weight >= 0 && float.IsFinite(weight)
            ? weight
            : throw Row(row, $"column {table.Columns[2].Name}: found {table.Columns[2].Text(row) ?? "nothing"}, "
                + "expected a weight of 0 or more");

        DataFormatException Row(int row, string problem) =>
            new($"{path}, row {table.RowNumber(row)}: {problem}");
    }

    private static ImageList OfClasses(string root, string[] folders, List<string> loose,
        Dictionary<string, int> skipped)
    {
        if (folders.Length == 0)
            throw new DataFormatException(loose.Count > 0
                ? $"{root}: holds {loose.Count} images, and no folders; put the images of each class into a folder of "
                    + "its own, or name a CSV file with columns file and label"
                : $"{root}: holds no images, and no folders; name the folder that holds a folder for each class");
        if (loose.Count > 0)
            throw new DataFormatException($"{root}: holds {loose.Count} images beside the folders of the classes, such "
                + $"as {Path.GetFileName(loose[0])}; put each into the folder of its class");
        string[] classes = [.. folders.Select(folder => Path.GetFileName(folder)!)];
        var (files, labels) = (new List<string>(), new List<int>());
        for (var k = 0; k < folders.Length; k++)
        {
            var own = new List<string>();
            Collect(folders[k], own, skipped, depth: 0);
            if (own.Count == 0)
                throw new DataFormatException($"{folders[k]}: holds no PNG or JPEG images, so the class {classes[k]} "
                    + $"has none{Others(skipped)}; put some there, or remove the folder");
            files.AddRange(own);
            labels.AddRange(Enumerable.Repeat(k, own.Count));
        }
        RequireClasses(root, classes);
        return new(root, ImageLabels.Folders, [.. files], classes, [.. labels], [], null, skipped);
    }

    private static ImageList OfMasks(string root, Dictionary<string, int> skipped)
    {
        var (images, masks) = (new List<string>(), new List<string>());
        var (imageFolder, maskFolder) = (Path.Combine(root, "images"), Path.Combine(root, "masks"));
        Collect(imageFolder, images, skipped, depth: 0);
        Collect(maskFolder, masks, skipped, depth: 0);
        if (images.Count == 0) throw new DataFormatException($"{imageFolder}: holds no PNG or JPEG images");
        var byName = ByName(masks, maskFolder);
        var own = ByName(images, imageFolder);
        foreach (var (name, mask) in byName)
            if (!own.ContainsKey(name))
                throw new DataFormatException($"{mask}: there is no image of that name in {imageFolder}; remove the "
                    + "mask, or add the image");
        string[] paired = [.. images.Select(image => byName.TryGetValue(NameOf(image, imageFolder), out var mask)
            ? mask
            : throw new DataFormatException($"{image}: has no mask; {maskFolder} must hold a PNG of the same name"))];
        return new(root, ImageLabels.Masks, [.. images], [], [], paired, null, skipped);

        static string NameOf(string path, string folder) =>
            Path.ChangeExtension(Path.GetRelativePath(folder, path), null);

        static Dictionary<string, string> ByName(List<string> paths, string folder)
        {
            var result = new Dictionary<string, string>();
            foreach (var path in paths)
                if (!result.TryAdd(NameOf(path, folder), path))
                    throw new DataFormatException($"{path}: has the same name as {result[NameOf(path, folder)]}; "
                        + "images and masks belong together by name: rename one");
            return result;
        }
    }

    private static void RequireClasses(string root, string[] classes)
    {
        if (classes.Length < 2)
            throw new DataFormatException($"{root}: has one class alone, {classes[0]}; there is nothing to tell apart: "
                + "add another class");
    }

    // Folders and images in order of their names; what else there is, is counted.
    private static string[] Entries(string folder, Dictionary<string, int> skipped, out List<string> images)
    {
        try
        {
            var folders = new List<string>();
            images = [];
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos()
                .OrderBy(entry => entry.Name, StringComparer.Ordinal))
            {
                if (entry.Name[0] == '.') Count("hidden");
                else if (Directory.Exists(entry.FullName))
                {
                    RefuseLoop(entry);
                    folders.Add(Path.Combine(folder, entry.Name));
                }
                else if (ImageFile.Extensions.Contains(entry.Extension.ToLowerInvariant()))
                    images.Add(Path.Combine(folder, entry.Name));
                else Count(entry.Extension.Length > 0 ? entry.Extension.ToLowerInvariant() : "without an ending");
            }
            return [.. folders];
        }
        catch (UnauthorizedAccessException)
        {
            throw new DataFormatException($"{folder}: may not be read; give yourself the right to read the folder");
        }
        catch (IOException error)
        {
            throw new DataFormatException($"{folder}: cannot be read: {error.Message.TrimEnd('.')}");
        }

        void Count(string kind) => skipped[kind] = skipped.GetValueOrDefault(kind) + 1;
    }

    private static void RefuseLoop(FileSystemInfo entry)
    {
        if (entry.LinkTarget is null || entry.ResolveLinkTarget(returnFinalTarget: true) is not { } target) return;
        var below = Path.GetRelativePath(target.FullName, entry.FullName);
        if (!Path.IsPathRooted(below) && !below.StartsWith("..", StringComparison.Ordinal))
            throw new DataFormatException($"{entry.FullName}: is a link to {target.FullName}, a folder that it lies "
                + "in; remove the link");
    }

    private static void Collect(string folder, List<string> files, Dictionary<string, int> skipped, int depth)
    {
        if (depth > MaxDepth)
            throw new DataFormatException($"{folder}: lies {depth} folders deep; links may lead in circles: remove "
                + "them");
        var folders = Entries(folder, skipped, out var images);
        files.AddRange(images);
        foreach (var inner in folders) Collect(inner, files, skipped, depth + 1);
    }

    private static string Others(Dictionary<string, int> skipped) => skipped.Count == 0
        ? ""
        : $" (skipped: {string.Join(", ", skipped.Select(entry => $"{entry.Value} {entry.Key}"))})";
}
