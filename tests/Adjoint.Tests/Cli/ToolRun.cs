using Adjoint.Cli;
using Adjoint.Kernels;

namespace Adjoint.Tests.Cli;

/// <summary>The tool in this process.</summary>
internal static class ToolRun
{
    internal static (int Code, string Output, string Error) Of(params string[] args)
    {
        var threads = Workers.ThreadCount;
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = Tool.Run(args, output, error);
        Workers.ThreadCount = threads;
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>The one line with which wrong usage is refused.</summary>
    internal static string Refused(params string[] args)
    {
        var (code, output, error) = Of(args);
        Assert.True((code, output) == (Tool.Usage, ""),
            $"{string.Join(' ', args)}: exit code {code}, {output} {error}");
        return Assert.Single(error.TrimEnd().Split('\n'));
    }
}
