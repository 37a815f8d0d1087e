using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Adjoint.Data;

/// <summary>How far a download is.</summary>
/// <param name="File">Which file.</param>
/// <param name="Received">Bytes there so far.</param>
/// <param name="Length">Bytes in all.</param>
public readonly record struct FetchProgress(string File, long Received, long Length);

/// <summary>
/// Downloads data sets. What arrives is kept as <c>name.part</c> until length and SHA-256 are right, then renamed; a later call goes on where an
/// interrupted one ended. A mirror that fails is followed by the next.
/// </summary>
/// <param name="client">Sends the requests.</param>
public sealed class DataFetcher(HttpClient client)
{
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(60);

    /// <summary>Fetches what of a data set is not there yet; returns its folder.</summary>
    /// <param name="dataset">Which.</param>
    /// <param name="root">The folder of all data sets.</param>
    /// <param name="progress">Hears of every block that arrives.</param>
    /// <param name="cancellation">Ends early; what arrived is kept.</param>
    /// <exception cref="DataFormatException">No mirror gave the right file, or a file of that name with other content is there.</exception>
    public async Task<string> FetchAsync(RemoteDataset dataset, string root, Action<FetchProgress>? progress = null, CancellationToken cancellation = default)
    {
        var folder = Path.Combine(root, dataset.Folder);
        if (dataset.Unpacked.Count > 0)
        {
            if (dataset.Unpacked.All(name => File.Exists(Path.Combine(folder, name)))) return folder;
            Directory.CreateDirectory(root);
            var archive = await FetchAsync(dataset.Files[0], root, progress, cancellation).ConfigureAwait(false);
            Unpack(archive, folder, dataset.Unpacked);
            File.Delete(archive);
            return folder;
        }
        Directory.CreateDirectory(folder);
        foreach (var file in dataset.Files) await FetchAsync(file, folder, progress, cancellation).ConfigureAwait(false);
        return folder;
    }

    private async Task<string> FetchAsync(RemoteFile file, string folder, Action<FetchProgress>? progress, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, file.Name);
        if (File.Exists(path))
            return Checksum(path) == file.Sha256
                ? path
                : throw new DataFormatException($"{path}: a file with another checksum than the published {file.Sha256} is there; move it away to fetch it again");
        var part = path + ".part";
        var failures = new List<string>();
        foreach (var mirror in file.Mirrors)
            try
            {
                await DownloadAsync(mirror, file, part, progress, cancellation).ConfigureAwait(false);
                if (Checksum(part) is var found && found != file.Sha256)
                {
                    File.Delete(part);
                    throw new InvalidDataException($"SHA-256 {found}, expected {file.Sha256}");
                }
                File.Move(part, path);
                return path;
            }
            catch (Exception error) when (error is HttpRequestException or InvalidDataException or HttpIOException || error is OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                failures.Add($"{mirror}: {(error is OperationCanceledException ? $"nothing arrived for {Stall.TotalSeconds:0} s" : error.Message)}");
            }
        throw new DataFormatException($"{file.Name}: no mirror gave the file: {string.Join("; ", failures)}; try again (what arrived is kept), or fetch it by hand into {folder}");
    }

    private async Task DownloadAsync(Uri mirror, RemoteFile file, string part, Action<FetchProgress>? progress, CancellationToken cancellation)
    {
        var have = File.Exists(part) ? new FileInfo(part).Length : 0;
        if (have == file.Length) return;
        if (have > file.Length)
        {
            File.Delete(part);
            have = 0;
        }
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stall.CancelAfter(Stall);
        using var request = new HttpRequestMessage(HttpMethod.Get, mirror);
        if (have > 0) request.Headers.Range = new RangeHeaderValue(have, null);
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
            throw new InvalidDataException($"answered {(int)response.StatusCode} {response.ReasonPhrase}");
        // A server may ignore the range, or continue elsewhere: then the whole file comes, from its start.
        var resumes = response.StatusCode == HttpStatusCode.PartialContent;
        if (resumes && response.Content.Headers.ContentRange?.From != have)
            throw new InvalidDataException($"continued at byte {response.Content.Headers.ContentRange?.From}, not at {have}");
        if (!resumes) have = 0;
        using var body = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
        using var target = new FileStream(part, resumes ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.None);
        var block = new byte[1 << 16];
        while (true)
        {
            stall.CancelAfter(Stall);
            var got = await body.ReadAsync(block, stall.Token).ConfigureAwait(false);
            if (got == 0) break;
            have += got;
            if (have > file.Length) throw new InvalidDataException($"more than the {file.Length} bytes expected");
            await target.WriteAsync(block.AsMemory(0, got), cancellation).ConfigureAwait(false);
            progress?.Invoke(new(file.Name, have, file.Length));
        }
        target.Flush(flushToDisk: true);
        if (have < file.Length) throw new InvalidDataException($"ended after {have} of {file.Length} bytes");
    }

    // By the names expected, wherever in the archive they lie: nothing it says decides where we write.
    private static void Unpack(string archive, string folder, IReadOnlyList<string> names)
    {
        var temporary = folder + ".part";
        if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        using (var stream = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress))
        using (var tar = new TarReader(stream))
            while (tar.GetNextEntry() is { } entry)
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && names.Contains(Path.GetFileName(entry.Name)))
                    entry.ExtractToFile(Path.Combine(temporary, Path.GetFileName(entry.Name)), overwrite: true);
        foreach (var name in names)
            if (!File.Exists(Path.Combine(temporary, name)))
                throw new DataFormatException($"{archive}: the archive has no {name}");
        Directory.CreateDirectory(folder);
        foreach (var name in names) File.Move(Path.Combine(temporary, name), Path.Combine(folder, name), overwrite: true);
        Directory.Delete(temporary, recursive: true);
    }

    private static string Checksum(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
