using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Adjoint.Data;

/// <summary>The progress of a download.</summary>
/// <param name="File">The name of the file.</param>
/// <param name="Received">The number of bytes received so far.</param>
/// <param name="Length">The number of bytes in all.</param>
public readonly record struct FetchProgress(string File, long Received, long Length);

/// <summary>
/// Downloads data sets. A file is kept as <c>name.part</c> until its length and SHA-256 are right, then renamed; a
/// later call resumes an interrupted one. If a mirror fails, the next is tried.
/// </summary>
/// <param name="client">Sends the HTTP requests.</param>
public sealed class DataFetcher(HttpClient client)
{
    private const string NewSuffix = ".new";
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(60);

    /// <summary>Downloads the files of a data set that are missing.</summary>
    /// <param name="dataset">The data set, one of <see cref="RemoteDataset.All"/>.</param>
    /// <param name="root">The folder of all data sets.</param>
    /// <param name="progress">Called for every block that arrives; null: nothing is called.</param>
    /// <param name="cancellation">Ends the download early; what has arrived is kept.</param>
    /// <returns>The folder that holds the data set's files.</returns>
    /// <exception cref="DataFormatException">
    /// No mirror has the right file, or there is a file of that name with other content.
    /// </exception>
    public async Task<string> FetchAsync(RemoteDataset dataset, string root, Action<FetchProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var folder = Path.Combine(root, dataset.Folder);
        if (dataset.Unpacked.Count > 0)
        {
            if (dataset.Unpacked.All(name => File.Exists(Path.Combine(folder, name)))) return folder;
            Make(root);
            var archive = await FetchAsync(dataset.Files[0], root, progress, cancellation).ConfigureAwait(false);
            Unpack(archive, folder, dataset.Unpacked);
            File.Delete(archive);
            return folder;
        }
        Make(folder);
        foreach (var file in dataset.Files)
            await FetchAsync(file, folder, progress, cancellation).ConfigureAwait(false);
        return folder;
    }

    private async Task<string> FetchAsync(RemoteFile file, string folder, Action<FetchProgress>? progress,
        CancellationToken cancellation)
    {
        var path = Path.Combine(folder, file.Name);
        if (File.Exists(path))
            return Checksum(path) == file.Sha256
                ? path
                : throw new DataFormatException(
                    $"{path}: a file with another checksum than the published {file.Sha256} is there; move it away to "
                    + "fetch it again");
        var part = path + ".part";
        // What lies where we write: writing to a pipe would wait for its reader.
        foreach (var own in (string[])[part, part + NewSuffix])
            if (Path.Exists(own)) RegularFile.Open(own).Dispose();
        if (LengthOf(part) >= file.Length && !IsRight(file, part)) File.Delete(part);
        var failures = new List<string>();
        foreach (var mirror in file.Mirrors)
            try
            {
                if (LengthOf(part) < file.Length)
                    await DownloadAsync(mirror, file, part, progress, cancellation).ConfigureAwait(false);
                File.Move(part, path);
                return path;
            }
            catch (Exception error)
                when (error is HttpRequestException or MirrorException || error is OperationCanceledException
                && !cancellation.IsCancellationRequested)
            {
                var reason = error is OperationCanceledException
                    ? $"nothing arrived for {Stall.TotalSeconds:0} s"
                    : error.Message;
                failures.Add($"{mirror}: {reason}");
            }
        var kept = LengthOf(part) is > 0 and var length ? $" (the {length} bytes that arrived are kept)" : "";
        throw new DataFormatException(
            $"{file.Name}: no mirror delivered the file: {string.Join("; ", failures)}; try again{kept}, or fetch it "
            + $"by hand into {folder}");
    }

    private async Task DownloadAsync(Uri mirror, RemoteFile file, string part, Action<FetchProgress>? progress,
        CancellationToken cancellation)
    {
        var have = LengthOf(part);
        try
        {
            await DownloadAsync(mirror, file, part, have, progress, cancellation).ConfigureAwait(false);
        }
        catch (MirrorException error) when (error.IsWrong && have > 0)
        {
            // What was there may have come from elsewhere: the mirror is asked for the whole.
            await DownloadAsync(mirror, file, part, 0, progress, cancellation).ConfigureAwait(false);
        }
    }

    private async Task DownloadAsync(Uri mirror, RemoteFile file, string part, long from,
        Action<FetchProgress>? progress, CancellationToken cancellation)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        stall.CancelAfter(Stall);
        using var response = await AskAsync(mirror, from, stall.Token).ConfigureAwait(false);
        var resumes = Resumes(response, file, from);
        // A server may ignore the range: then the whole comes, and takes the place of what is there when it is more.
        var (target, start) = resumes ? (part, from) : (part + NewSuffix, 0);
        var isWrong = false;
        try
        {
            await ReceiveAsync(response, file, target, start, progress, stall, cancellation).ConfigureAwait(false);
            if (!IsRight(file, target))
                throw new MirrorException($"SHA-256 {Checksum(target)}, expected {file.Sha256}", isWrong: true);
        }
        catch (MirrorException error)
        {
            isWrong = error.IsWrong;
            throw;
        }
        finally
        {
            if (resumes && isWrong) Shorten(part, start);
            else if (!resumes && (isWrong || LengthOf(target) <= LengthOf(part))) File.Delete(target);
            else if (!resumes) File.Move(target, part, overwrite: true);
        }
    }

    private async Task<HttpResponseMessage> AskAsync(Uri mirror, long from, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, mirror);
        // The file itself, whose checksum is known, and not what a server makes of it on its way.
        request.Headers.AcceptEncoding.Add(new("identity"));
        if (from > 0) request.Headers.Range = new RangeHeaderValue(from, null);
        try
        {
            return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation)
                .ConfigureAwait(false);
        }
        catch (Exception error) when (error is not (HttpRequestException or OperationCanceledException))
        {
            // A redirection to what is no address, for one.
            throw new MirrorException($"cannot be asked: {error.Message.TrimEnd('.')}", isWrong: false);
        }
    }

    // Whether the answer goes on where it was asked to. What it says of itself is checked before anything is written.
    private static bool Resumes(HttpResponseMessage response, RemoteFile file, long from)
    {
        var (status, headers) = (response.StatusCode, response.Content.Headers);
        if (status is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
            throw new MirrorException($"answered {(int)status} {response.ReasonPhrase}",
                isWrong: status == HttpStatusCode.RequestedRangeNotSatisfiable);
        var resumes = status == HttpStatusCode.PartialContent;
        if (resumes
            && (headers.ContentRange?.From != from || headers.ContentRange.Length is { } whole && whole != file.Length))
            throw new MirrorException(
                $"continued at byte {headers.ContentRange?.From} of {headers.ContentRange?.Length}, not at {from} of "
                + $"{file.Length}", isWrong: true);
        if (headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml")
            throw new MirrorException("answered a web page", isWrong: true);
        var announced = headers.ContentLength + (resumes ? from : 0);
        return announced is not { } length || length == file.Length
            ? resumes
            : throw new MirrorException(length > file.Length
                ? $"has more than the {file.Length} bytes expected: {length}"
                : $"ended after {length} of {file.Length} bytes", isWrong: true);
    }

    private static async Task ReceiveAsync(
        HttpResponseMessage response, RemoteFile file, string path, long have, Action<FetchProgress>? progress,
            CancellationTokenSource stall, CancellationToken cancellation)
    {
        using var body = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
        using var target = new FileStream(path, have > 0 ? FileMode.Append : FileMode.Create, FileAccess.Write,
            FileShare.None);
        var block = new byte[1 << 16];
        while (true)
        {
            stall.CancelAfter(Stall);
            var got = await ReadAsync(body, block, have, file, stall.Token).ConfigureAwait(false);
            if (got == 0) break;
            have += got;
            if (have > file.Length)
                throw new MirrorException($"has more than the {file.Length} bytes expected", isWrong: true);
            await target.WriteAsync(block.AsMemory(0, got), cancellation).ConfigureAwait(false);
            progress?.Invoke(new(file.Name, have, file.Length));
        }
        target.Flush(flushToDisk: true);
        if (have < file.Length) throw new MirrorException($"ended after {have} of {file.Length} bytes", isWrong: true);
    }

    // Apart from writing: a connection that breaks is the mirror's failure, a disk that is full is not. What arrived
    // until then is the beginning of the file.
    private static async Task<int> ReadAsync(Stream body, byte[] block, long have, RemoteFile file,
        CancellationToken cancellation)
    {
        try
        {
            return await body.ReadAsync(block, cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            throw new MirrorException($"ended after {have} of {file.Length} bytes: {error.Message.TrimEnd('.')}",
                isWrong: false);
        }
    }

    private static bool IsRight(RemoteFile file, string path) => Checksum(path) == file.Sha256;

    private static long LengthOf(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static void Shorten(string path, long length)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.SetLength(length);
    }

    // Why a mirror did not give the file, and whether what it gave, or what was there before, is something else.
    private sealed class MirrorException(string message, bool isWrong) : Exception(message)
    {
        internal bool IsWrong => isWrong;
    }

    // By the names expected, wherever in the archive they lie: nothing it says decides where we write.
    private static void Unpack(string archive, string folder, IReadOnlyList<string> names)
    {
        var temporary = folder + ".part";
        if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        try
        {
            using var stream = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
            using var tar = new TarReader(stream);
            while (tar.GetNextEntry() is { } entry)
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile
                    && names.Contains(Path.GetFileName(entry.Name)))
                    entry.ExtractToFile(Path.Combine(temporary, Path.GetFileName(entry.Name)), overwrite: true);
        }
        // The reader makes room for an extended header of the size that the archive declares before it reads it.
        catch (OutOfMemoryException)
        {
            throw new DataFormatException(
                $"{archive}: an entry declares a header larger than the memory that is left; it has the published "
                + "checksum, so what is published is wrong, or the process may use too little memory");
        }
        catch (Exception error) when (error is EndOfStreamException
            or not (IOException or UnauthorizedAccessException))
        {
            throw new DataFormatException(
                $"{archive}: is not a valid gzipped tar archive: {error.Message.TrimEnd('.')}; it has the published "
                + "checksum, so what is published is wrong");
        }
        foreach (var name in names)
            if (!File.Exists(Path.Combine(temporary, name)))
                throw new DataFormatException($"{archive}: the archive has no {name}");
        Directory.CreateDirectory(folder);
        foreach (var name in names)
            File.Move(Path.Combine(temporary, name), Path.Combine(folder, name), overwrite: true);
        Directory.Delete(temporary, recursive: true);
    }

    private static void Make(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataFormatException(
                $"{folder}: cannot be created: {error.Message.TrimEnd('.')}; choose another folder for data sets");
        }
    }

    private static string Checksum(string path)
    {
        using var file = RegularFile.Open(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
