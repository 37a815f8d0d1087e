using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>
/// A file of tensors that is to be written: its format, which the extension tells, and where it lies.
/// </summary>
internal abstract record WeightsTarget(string Path)
{
    private static readonly string[] Extensions = [".safetensors", ".pt", ".pth", ".bin", ".npz", ".npy"];

    /// <summary>Whether texts can be written along.</summary>
    internal virtual bool HasMetadata => false;

    /// <summary>Whether a tensor of several names is written once, and is one again when it is read.</summary>
    internal virtual bool KeepsSharing => false;

    /// <summary>Whether it is read by NumPy, which has no bfloat16.</summary>
    internal virtual bool IsForNumPy => false;

    /// <summary>Whether what is there would be replaced.</summary>
    internal virtual bool Exists => System.IO.Path.Exists(Path);

    /// <summary>The target of a path.</summary>
    /// <param name="path">The path; its extension tells the format.</param>
    /// <param name="shardBytes">The most bytes of a shard; null: one file.</param>
    /// <exception cref="UsageException">No format that is written has this extension.</exception>
    internal static WeightsTarget Of(string path, long? shardBytes)
    {
        var extension = System.IO.Path.GetExtension(path).ToLowerInvariant();
        if (shardBytes is { } bytes)
            return extension is ".safetensors" or ""
                ? new Shards(path, bytes)
                : throw new UsageException(
                    $"--shard-size: shards are safetensors files: found {path}; name a folder or a .safetensors file");
        return extension switch
        {
            ".safetensors" => new SafeTensorsTarget(path),
            ".pt" or ".pth" or ".bin" => new PyTorch(path),
            ".npz" => new Npz(path),
            ".npy" => new Npy(path),
            _ => throw new UsageException(
                $"to: {path} has none of the extensions that are written, {string.Join(", ", Extensions)}; name a file "
                + "with one of them, or give --shard-size for a folder of shards"),
        };
    }

    /// <summary>
    /// Writes tensors and texts, whole or not at all; the texts only where <see cref="HasMetadata"/>.
    /// </summary>
    /// <returns>The path of the file, or of the index of shards.</returns>
    internal abstract string Write(
        IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata, bool hasDigest);

    private sealed record SafeTensorsTarget(string Path) : WeightsTarget(Path)
    {
        internal override bool HasMetadata => true;

        internal override string Write(
            IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata, bool hasDigest)
        {
            SafeTensors.Save(Path, tensors, metadata, hasDigest);
            return Path;
        }
    }

    private sealed record Shards(string Path, long Bytes) : WeightsTarget(Path)
    {
        internal override bool HasMetadata => true;

        internal override bool Exists => Directory.Exists(Path)
            ? Directory.EnumerateFileSystemEntries(Path).Any()
            : File.Exists(Path) || File.Exists($"{Path}.index.json");

        internal override string Write(
            IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata,
            bool hasDigest) =>
            SafeTensors.SaveShards(Path, tensors, Bytes, metadata);
    }

    private sealed record PyTorch(string Path) : WeightsTarget(Path)
    {
        internal override bool KeepsSharing => true;

        internal override string Write(
            IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata, bool hasDigest)
        {
            PyTorchFile.Save(Path, tensors);
            return Path;
        }
    }

    private sealed record Npz(string Path) : WeightsTarget(Path)
    {
        internal override bool IsForNumPy => true;

        internal override string Write(
            IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata, bool hasDigest)
        {
            NpzFile.Save(Path, tensors);
            return Path;
        }
    }

    private sealed record Npy(string Path) : WeightsTarget(Path)
    {
        internal override bool IsForNumPy => true;

        internal override string Write(
            IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata, bool hasDigest)
        {
            if (tensors.Count != 1)
                throw new AdjointException(
                    $"{Path}: .npy holds one tensor: found {tensors.Count}; choose one with --only, or write an .npz");
            NpyFile.Save(Path, tensors.Values.Single());
            return Path;
        }
    }
}
