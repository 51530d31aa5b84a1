// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.global.torch;

/** Loads LibTorch, once a process. */
final class TorchLibrary {
  private static final String LOCK = "megaclass.lock";

  private TorchLibrary() {}

  /**
   * Loads the library, which unpacks it at its first use on a machine. Two processes must not
   * unpack at once, or one of them may run what the other has half written: the second one waits.
   *
   * @param threads that its operations may use
   * @throws IllegalStateException when it cannot be loaded here
   */
  static void load(int threads) {
    try {
      Path cache = Loader.getCacheDir().toPath();
      try (var channel =
              FileChannel.open(
                  cache.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          var _ = channel.lock()) {
        Loader.load(openblas.class);
        Loader.load(torch.class);
      }
    } catch (IOException e) {
      throw new IllegalStateException(
          "LibTorch cannot be unpacked: %s; -Dorg.bytedeco.javacpp.cachedir names another folder"
              .formatted(e.getMessage()),
          e);
    } catch (UnsatisfiedLinkError e) {
      throw new IllegalStateException(
          "LibTorch cannot be loaded: %s; it needs glibc 2.35 or newer on Linux"
              .formatted(e.getMessage()),
          e);
    }
    torch.set_num_threads(threads);
    openblas.blas_set_num_threads(threads); // which has threads of its own
  }
}
