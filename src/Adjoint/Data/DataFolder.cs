namespace Adjoint.Data;

/// <summary>
/// Where data sets are looked for: the given folder, then <c>ADJOINT_DATA</c>, then the user's cache folder.
/// </summary>
public static class DataFolder
{
    /// <summary>The folders that are searched, in order.</summary>
    /// <param name="given">The folder that the user named; null: none.</param>
    /// <returns>The paths, whether or not they exist.</returns>
    public static IReadOnlyList<string> Candidates(string? given)
    {
        if (given is not null) return [given];
        var cache = Path.Combine(Platform.CacheFolder, "adjoint");
        return Environment.GetEnvironmentVariable("ADJOINT_DATA") is { Length: > 0 } data ? [data, cache] : [cache];
    }

    /// <summary>
    /// Finds the folder that holds a data set's files: a candidate itself, or its subfolder of one of the usual names.
    /// </summary>
    /// <param name="given">The folder that the user named; null: none.</param>
    /// <param name="dataset">The name of the data set, such as <c>mnist</c>.</param>
    /// <returns>The path of the folder.</returns>
    /// <exception cref="DataFormatException">No folder has the files.</exception>
    public static string Locate(string? given, string dataset)
    {
        var (marker, names) = dataset == "cifar10"
            ? ("data_batch_1.bin", (string[])["cifar-10-batches-bin", "cifar10", ""])
            : ("train-images-idx3-ubyte", [dataset, ""]);
        foreach (var root in Candidates(given))
            foreach (var name in names)
                if (Exists(Path.Combine(root, name), marker)) return Path.Combine(root, name);
        throw new DataFormatException(
            $"data set {dataset}: no {marker} in {string.Join(" or ", Candidates(given))}; download it with: adjoint "
                + $"data fetch {dataset}{(given is null ? "" : $" --data-dir {ShellWord.Quote(given)}")}"
            + $"{(given is null ? "; or give --data-dir the folder that holds it" : "")}");
    }

    /// <summary>A file of a folder, with or without <c>.gz</c>.</summary>
    internal static string Find(string folder, string name, string dataset)
    {
        var path = Path.Combine(folder, name);
        if (File.Exists(path)) return path;
        if (File.Exists(path + ".gz")) return path + ".gz";
        throw new DataFormatException($"{path}: the file is missing; the data set is incomplete; adjoint data fetch "
            + $"{dataset} brings what is missing");
    }

    private static bool Exists(string folder, string name) => File.Exists(Path.Combine(folder, name))
        || File.Exists(Path.Combine(folder, name + ".gz"));
}
