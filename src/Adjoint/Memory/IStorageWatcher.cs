namespace Adjoint.Memory;

/// <summary>Is told what happens to memory besides primitives.</summary>
internal interface IStorageWatcher
{
    /// <summary>Notes that a storage was allocated.</summary>
    void NoteMade(Storage storage);

    /// <summary>Notes that the program wrote numbers into one.</summary>
    void NoteWritten(Storage storage);
}
