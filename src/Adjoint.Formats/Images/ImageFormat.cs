namespace Adjoint.Formats;

/// <summary>A file format of images that can be read.</summary>
public enum ImageFormat
{
    /// <summary>PNG (ISO/IEC 15948).</summary>
    Png,

    /// <summary>JPEG (ITU-T T.81), with 8 bits per sample.</summary>
    Jpeg,
}
