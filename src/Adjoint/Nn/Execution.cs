using Adjoint.Memory;

namespace Adjoint;

/// <content>What networks make on their way.</content>
internal sealed partial class Execution
{
    /// <summary>What <see cref="Nn.Intermediates"/> lists, the innermost part's last.</summary>
    internal List<Storage> Intermediates { get; } = [];
}
