// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import megaclass.internal.AtomicFiles;
import megaclass.internal.FileBytes;
import org.jspecify.annotations.Nullable;

/**
 * Machine code of kernels. What NVRTC has compiled is kept in files, one for each text, header, set
 * of options and version of NVRTC; each begins with the SHA-256 of what follows, so that a damaged
 * one is found and compiled again. Without NVRTC a file of any version will do, or what was
 * compiled when Megaclass was built.
 *
 * <p>Thread-safe; several processes may share a folder.
 */
final class KernelCache {
  private static final System.Logger LOG = System.getLogger(KernelCache.class.getName());
  private static final int HASH_BYTES = 32;

  /** Multiply-adds round once only where the source says fmaf, as in the Java definitions. */
  static final List<String> OPTIONS = List.of("--std=c++17", "--fmad=false");

  private final Path folder;
  private final @Nullable Nvrtc nvrtc;

  /**
   * A cache.
   *
   * @param folder made when it is first needed
   * @param nvrtc null when it is not installed
   */
  KernelCache(Path folder, @Nullable Nvrtc nvrtc) {
    this.folder = folder;
    this.nvrtc = nvrtc;
  }

  /** The folder that users' programs keep their caches in. */
  static Path usualFolder() {
    String given = System.getenv().getOrDefault("XDG_CACHE_HOME", "");
    var caches =
        given.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(given);
    return caches.resolve("megaclass/kernels");
  }

  /**
   * Machine code of a file of kernels.
   *
   * @param computeCapability of the device, 90 for 9.0
   * @throws CudaException when it does not compile, or there is neither NVRTC nor compiled code
   */
  byte[] image(KernelSource source, int computeCapability) {
    String key = key(source);
    String name = "%s-sm_%d-%s-nvrtc".formatted(source.name(), computeCapability, key);
    if (nvrtc == null) {
      return any(name)
          .or(() -> Optional.ofNullable(KernelSource.resource(shipped(source))))
          .orElseThrow(
              () ->
                  new CudaException(
                      "kernels cannot be compiled: NVRTC (libnvrtc.so.12 or .13, not newer than"
                          + " the driver) was not found. Install CUDA or the Python package"
                          + " nvidia-cuda-nvrtc, or let -D%s=FOLDER name the folder of the library"
                              .formatted(CudaLibraries.PATH)));
    }
    var file = folder.resolve(name + nvrtc.version() + ".cubin");
    var kept = read(file);
    return kept.isPresent() ? kept.get() : compile(nvrtc, source, options(computeCapability), file);
  }

  /** What the build may have compiled, see fatbin.sh. */
  static String shipped(KernelSource source) {
    return "%s-%s.fatbin".formatted(source.name(), key(source));
  }

  private static List<String> options(int computeCapability) {
    var architecture = Stream.of("--gpu-architecture=sm_" + computeCapability);
    return Stream.concat(OPTIONS.stream(), architecture).toList();
  }

  /** One at a time: two threads cannot write one file at once. */
  private static byte[] compile(Nvrtc nvrtc, KernelSource source, List<String> options, Path file) {
    synchronized (KernelCache.class) {
      byte[] image = nvrtc.compile(source, options);
      try {
        AtomicFiles.write(
            file,
            channel -> {
              FileBytes.write(channel, ByteBuffer.wrap(sha256(image)));
              FileBytes.write(channel, ByteBuffer.wrap(image));
            });
      } catch (UncheckedIOException e) {
        LOG.log(Level.DEBUG, "kernels will be compiled again next time", e);
      }
      return image;
    }
  }

  /** Machine code of any version of NVRTC. */
  private Optional<byte[]> any(String name) {
    if (!Files.isDirectory(folder)) {
      return Optional.empty();
    }
    try (var files = Files.newDirectoryStream(folder, name + "*.cubin")) {
      for (Path file : files) {
        var image = read(file);
        if (image.isPresent()) {
          return image;
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + folder, e);
    }
  }

  /** What a file holds; empty when it is not there or damaged. */
  private static Optional<byte[]> read(Path file) {
    if (!Files.isReadable(file)) {
      return Optional.empty();
    }
    try {
      byte[] bytes = Files.readAllBytes(file);
      byte[] image = Arrays.copyOfRange(bytes, Math.min(HASH_BYTES, bytes.length), bytes.length);
      byte[] hash = Arrays.copyOf(bytes, HASH_BYTES);
      return Arrays.equals(hash, sha256(image)) ? Optional.of(image) : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  /** Names what a compiler is given, but for the device and its own version. */
  private static String key(KernelSource source) {
    String all = source.header() + source.text() + String.join(" ", OPTIONS);
    return HexFormat.of().formatHex(sha256(all.getBytes(UTF_8)), 0, 8);
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
