namespace Adjoint.Nn;

/// <summary>
/// Eigenvalues and eigenvectors of a small symmetric matrix, by Jacobi's rotations (Golub and Van Loan, "Matrix
/// Computations", 4th ed., §8.5).
/// </summary>
internal static class SymmetricEigen
{
    private const int MaxSweeps = 50;

    /// <summary>A = V·diag(λ)·Vᵀ; the i-th column of V belongs to λᵢ, largest first.</summary>
    internal static (double[] Values, double[,] Vectors) Decompose(double[,] matrix)
    {
        var n = matrix.GetLength(0);
        var (a, v) = ((double[,])matrix.Clone(), new double[n, n]);
        for (var i = 0; i < n; i++) v[i, i] = 1;
        for (var sweep = 0; sweep < MaxSweeps && OffDiagonal(a) > 1e-30 * Diagonal(a); sweep++)
            for (var p = 0; p < n; p++)
                for (var q = p + 1; q < n; q++)
                    Rotate(a, v, p, q);
        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => a[i, i])];
        var sorted = new double[n, n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++) sorted[j, i] = v[j, order[i]];
        return ([.. order.Select(i => a[i, i])], sorted);
    }

    private static void Rotate(double[,] a, double[,] v, int p, int q)
    {
        if (a[p, q] == 0) return;
        var tau = (a[q, q] - a[p, p]) / (2 * a[p, q]);
        var t = (tau >= 0 ? 1 : -1) / (Math.Abs(tau) + Math.Sqrt(1 + tau * tau));
        var c = 1 / Math.Sqrt(1 + t * t);
        var s = t * c;
        var n = a.GetLength(0);
        for (var k = 0; k < n; k++) (a[k, p], a[k, q]) = (c * a[k, p] - s * a[k, q], s * a[k, p] + c * a[k, q]);
        for (var k = 0; k < n; k++) (a[p, k], a[q, k]) = (c * a[p, k] - s * a[q, k], s * a[p, k] + c * a[q, k]);
        for (var k = 0; k < n; k++) (v[k, p], v[k, q]) = (c * v[k, p] - s * v[k, q], s * v[k, p] + c * v[k, q]);
    }

    private static double Diagonal(double[,] a) => Enumerable.Range(0, a.GetLength(0)).Sum(i => a[i, i] * a[i, i]);

    private static double OffDiagonal(double[,] a)
    {
        var sum = 0.0;
        for (var i = 0; i < a.GetLength(0); i++)
            for (var j = 0; j < i; j++) sum += 2 * a[i, j] * a[i, j];
        return sum;
    }
}
