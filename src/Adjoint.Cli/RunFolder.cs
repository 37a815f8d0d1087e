using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>The folder of a run.</summary>
internal static class RunFolder
{
    /// <summary>Makes it; the name tells what and when unless one is given.</summary>
    /// <exception cref="AdjointException">It exists, or cannot be made or written to.</exception>
    internal static string Create(string? wanted, string dataset)
    {
        var path = wanted ?? Unused(Path.Combine("runs", $"{DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}-{dataset}"));
        if (File.Exists(path)) throw new AdjointException($"--out {path}: is a file; name a folder that does not exist yet");
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            throw new AdjointException($"--out {path}: exists and is not empty; name a new folder, so that no run overwrites another");
        try
        {
            Directory.CreateDirectory(path);
            AtomicFile.WriteText(Path.Combine(path, ".writable"), "");
            File.Delete(Path.Combine(path, ".writable"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new AdjointException($"--out {path}: cannot be written to: {error.Message}", error);
        }
        return path;
    }

    /// <summary>Writes <c>settings.json</c>: everything needed to repeat the run.</summary>
    internal static void WriteSettings(string folder, TrainSettings settings)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            foreach (var (name, value) in settings.Rows()) json.WriteString(name, value);
            json.WriteString("version", typeof(Tensor).Assembly.GetName().Version?.ToString(3));
            json.WriteString("runtime", RuntimeInformation.FrameworkDescription);
            json.WriteString("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}");
            json.WriteString("command", "adjoint train " + string.Join(' ', settings.Rows().Select(row => $"--{row.Name} {row.Value}")));
            json.WriteEndObject();
        }
        AtomicFile.WriteText(Path.Combine(folder, "settings.json"), Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
    }

    private static string Unused(string path)
    {
        var candidate = path;
        for (var number = 2; Path.Exists(candidate); number++) candidate = $"{path}-{number}";
        return candidate;
    }
}
