using System.Reflection;

namespace Adjoint;

/// <summary>The version of this library.</summary>
public static class LibraryVersion
{
    /// <summary>
    /// The version of the package, such as <c>0.2.0</c> or <c>0.2.1-alpha.0.14</c> (14 commits after 0.2.0), as model
    /// files, runs and results record it.
    /// </summary>
    public static string Text { get; } =
        // Without the commit, which the compiler puts behind a plus sign.
        typeof(LibraryVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!
            .InformationalVersion.Split('+')[0];
}
