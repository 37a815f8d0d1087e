namespace Adjoint.Data;

/// <summary>Where data sets lie: the folder given, then ADJOINT_DATA, then the user's cache folder.</summary>
public static class DataFolder
{
    /// <summary>The folders that are looked through, in order.</summary>
    public static IReadOnlyList<string> Candidates(string? given)
    {
        if (given is not null) return [given];
        var cache = Path.Combine(Platform.CacheFolder, "adjoint");
        return Environment.GetEnvironmentVariable("ADJOINT_DATA") is { Length: > 0 } data ? [data, cache] : [cache];
    }

    /// <summary>The folder that holds a data set's files: a candidate itself, or its subfolder of one of the usual names.</summary>
    /// <exception cref="DataFormatException">No folder has the file.</exception>
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

    private static bool Exists(string folder, string name) => File.Exists(Path.Combine(folder, name)) || File.Exists(Path.Combine(folder, name + ".gz"));
}
