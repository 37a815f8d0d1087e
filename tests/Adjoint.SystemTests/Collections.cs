// The thread count and the console belong to the process, so most tests run one after the other. Beside them run those
// that only wait for processes of their own.
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly)]

namespace Adjoint.SystemTests;

/// <summary>Collections of tests: one test of each at a time.</summary>
internal static class Collections
{
    /// <summary>Tests that do nothing in this process but wait for others.</summary>
    internal const string Waiting = "waiting for processes";
}
