using System.Globalization;
using System.Runtime.InteropServices;
using unsafe Sgemm = delegate* unmanaged<int, int, int, int, int, int, float, float*, int,
    float*, int, float, float*, int, void>;

namespace Adjoint.Bench;

/// <summary>OpenBLAS of the system, for matrix products: Debian's package is <c>libopenblas0</c>.</summary>
internal sealed unsafe class OpenBlasSide : ISide
{
    private const int RowMajor = 101, NotTransposed = 111;
    private readonly delegate* unmanaged<int, void> setThreads;
    private readonly Sgemm product;

    internal OpenBlasSide()
    {
        nint library = 0;
        if (!((string[])["libopenblas.so.0", "libopenblas"]).Any(name => NativeLibrary.TryLoad(name, out library)))
            throw new DllNotFoundException("OpenBLAS is not installed; on Debian: apt-get install libopenblas0");
        setThreads = (delegate* unmanaged<int, void>)NativeLibrary.GetExport(library, "openblas_set_num_threads");
        product = (Sgemm)NativeLibrary.GetExport(library, "cblas_sgemm");
        var describe = (delegate* unmanaged<byte*>)NativeLibrary.GetExport(library, "openblas_get_config");
        // "OpenBLAS 0.3.21 DYNAMIC_ARCH NO_AFFINITY Cooperlake MAX_THREADS=64": version, and whose kernels it chose.
        var words = Marshal.PtrToStringUTF8((nint)describe())!.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Version = string.Join(' ', words.Where(word => !word.Contains('_')));
    }

    public string Version { get; }

    public void Use(int threads) => setThreads(threads);

    public Action? Create(string workload)
    {
        if (workload.Split('-') is not ["matmul", var rows, var inner, var columns]) return null;
        var (m, k, n) = (Number(rows), Number(inner), Number(columns));
        var (a, b, c) = (Random(1, m * k), Random(2, k * n), Random(3, m * n));
        return () =>
            product(RowMajor, NotTransposed, NotTransposed, m, n, k, 1, Address(a), k, Address(b), n, 0, Address(c), n);
    }

    // Pinned arrays: they never move.
    private static float[] Random(ulong seed, int length)
    {
        var values = GC.AllocateUninitializedArray<float>(length, pinned: true);
        Tensor.Randn([length], new Generator(seed)).ToArray<float>().CopyTo(values, 0);
        return values;
    }

    private static float* Address(float[] pinned) => (float*)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
