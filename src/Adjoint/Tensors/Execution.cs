namespace Adjoint;

/// <content>Who notes what happens to leaves.</content>
internal sealed partial class Execution
{
    /// <summary>Of the function that records on this thread.</summary>
    internal LeafJournal? Journal { get; set; }
}
