using Adjoint.Memory;

namespace Adjoint;

/// <content>What networks make on their way.</content>
internal sealed partial class Execution
{
    /// <summary>
    /// Whether a module is made again from a file: its values are loaded afterwards, and none are drawn.
    /// </summary>
    internal bool IsRestoring => Budget is not null;

    /// <summary>What <see cref="Nn.Intermediates"/> lists, the innermost part's last.</summary>
    internal List<Storage> Intermediates { get; } = [];
}
