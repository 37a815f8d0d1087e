using System.Runtime.InteropServices;

namespace Adjoint.Mpi;

/// <summary>
/// The functions of MPI that the transport needs, as the C header declares them. A handle is an <c>nint</c> in every
/// implementation: a pointer in Open MPI and in the standard ABI; MPICH's are 32-bit integers, which are passed in the
/// lower half of a register, and written into the lower half of a slot that was zero. <see cref="MpiLibrary"/> says
/// which library the name <c>mpi</c> stands for.
/// </summary>
internal static unsafe partial class MpiFunctions
{
    /// <summary>The name in the declarations, which is resolved by <see cref="MpiLibrary"/>.</summary>
    internal const string Library = "mpi";

    /// <summary>All that are declared here: a library that lacks one is refused before it is initialized.</summary>
    internal static readonly string[] All =
    [
        "MPI_Init_thread", "MPI_Finalize", "MPI_Abort", "MPI_Get_library_version", "MPI_Error_string", "MPI_Comm_rank",
        "MPI_Comm_size", "MPI_Comm_dup", "MPI_Comm_set_errhandler", "MPI_Isend", "MPI_Irecv", "MPI_Test",
        "MPI_Get_count",
    ];

    [LibraryImport(Library, EntryPoint = "MPI_Init_thread")]
    internal static partial int InitThread(int* argumentCount, byte*** arguments, int required, out int provided);

    [LibraryImport(Library, EntryPoint = "MPI_Finalize")]
    internal static partial int Finalize();

    [LibraryImport(Library, EntryPoint = "MPI_Abort")]
    internal static partial int Abort(nint communicator, int exitCode);

    [LibraryImport(Library, EntryPoint = "MPI_Get_library_version")]
    internal static partial int GetLibraryVersion(byte* text, out int length);

    [LibraryImport(Library, EntryPoint = "MPI_Error_string")]
    internal static partial int ErrorString(int error, byte* text, out int length);

    [LibraryImport(Library, EntryPoint = "MPI_Comm_rank")]
    internal static partial int CommRank(nint communicator, out int rank);

    [LibraryImport(Library, EntryPoint = "MPI_Comm_size")]
    internal static partial int CommSize(nint communicator, out int size);

    [LibraryImport(Library, EntryPoint = "MPI_Comm_dup")]
    internal static partial int CommDup(nint communicator, nint* copy);

    [LibraryImport(Library, EntryPoint = "MPI_Comm_set_errhandler")]
    internal static partial int CommSetErrhandler(nint communicator, nint handler);

    [LibraryImport(Library, EntryPoint = "MPI_Isend")]
    internal static partial int Isend(
        void* bytes, int count, nint type, int to, int tag, nint communicator, nint* request);

    [LibraryImport(Library, EntryPoint = "MPI_Irecv")]
    internal static partial int Irecv(
        void* bytes, int count, nint type, int from, int tag, nint communicator, nint* request);

    [LibraryImport(Library, EntryPoint = "MPI_Test")]
    internal static partial int Test(nint* request, out int done, void* status);

    [LibraryImport(Library, EntryPoint = "MPI_Get_count")]
    internal static partial int GetCount(void* status, nint type, out int count);
}
