using System.Text;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Experiments;

/// <summary>
/// Why a trial failed, one line in <c>.failure</c> in its folder: workers leave it alone then, until a run is asked for
/// anew.
/// </summary>
internal static class TrialFailure
{
    private const int MaxBytes = 1 << 16;

    /// <summary>Notes a failure; on a full disk nothing can be noted.</summary>
    internal static void Save(string folder, string message)
    {
        try
        {
            if (Directory.Exists(folder)) AtomicFile.WriteText(PathOf(folder), message);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // What made the trial fail may well be this.
        }
    }

    /// <summary>The message; null where the trial did not fail.</summary>
    internal static string? Load(string folder)
    {
        try
        {
            return Encoding.UTF8.GetString(RegularFile.ReadAllBytes(PathOf(folder), MaxBytes));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception error) when (error is IOException or DataFormatException)
        {
            return error.Message;
        }
    }

    /// <summary>Lets the trial be run again.</summary>
    internal static void Remove(string folder)
    {
        if (Directory.Exists(folder)) File.Delete(PathOf(folder));
    }

    private static string PathOf(string folder) => Path.Combine(folder, ".failure");
}
