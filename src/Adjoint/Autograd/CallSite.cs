using System.Diagnostics;

namespace Adjoint;

/// <summary>Where the running op was called.</summary>
/// <param name="Inside">The innermost line that is not part of an op: a module's, or the user's.</param>
/// <param name="Outside">The innermost line outside of the library.</param>
internal readonly record struct CallSite(string Inside, string Outside)
{
    private const string Unknown = "an unknown line";

    /// <summary>Walks this thread's stack. Slow.</summary>
    internal static CallSite Find()
    {
        var library = typeof(Op).Assembly.FullName;
        string? inside = null;
        foreach (var frame in new StackTrace(fNeedFileInfo: true).GetFrames())
        {
            if (DiagnosticMethodInfo.Create(frame) is not { } method) continue;
            var isOutside = method.DeclaringAssemblyName != library;
            // Ops, their methods and the machinery of this folder lie in the root namespace; modules do not. Those that
            // only pass on say nothing.
            if (!isOutside
                && (method.DeclaringTypeName is "Adjoint.Nn.Module" or "Adjoint.Nn.Layer" or "Adjoint.Nn.Sequential"
                    || method.DeclaringTypeName?.StartsWith("Adjoint.Nn.", StringComparison.Ordinal) != true))
                continue;
            var line = frame.GetFileName() is { } file
                ? $"{file}:{frame.GetFileLineNumber()}"
                : $"{method.DeclaringTypeName}.{method.Name}";
            inside ??= line;
            if (isOutside) return new(inside, line);
        }
        return new(inside ?? Unknown, Unknown);
    }
}
