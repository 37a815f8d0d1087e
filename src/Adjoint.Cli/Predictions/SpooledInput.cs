namespace Adjoint.Cli;

/// <summary>
/// What comes through standard input, as a file for as long as it is read: readers look at it more than once.
/// </summary>
internal sealed class SpooledInput : IDisposable
{
    internal const string Name = "standard input";

    internal SpooledInput(Stream input)
    {
        // Nobody else may read it.
        Path = System.IO.Path.GetTempFileName();
        using var file = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.None);
        try
        {
            input.CopyTo(file);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal string Path { get; }

    /// <summary>The same error, of standard input.</summary>
    internal AdjointException Rename(AdjointException error) =>
        new(error.Message.Replace(Path, Name, StringComparison.Ordinal), error);

    public void Dispose() => File.Delete(Path);
}
