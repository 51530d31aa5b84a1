// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import megaclass.internal.InvalidFileException;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** A TorchScript module as a network. */
final class ScriptNetwork implements Network {
  private final byte[] program;
  private final JitModule module;
  private final Parameters parameters = new Parameters(0);

  /** Takes a module over. */
  private ScriptNetwork(byte[] program, JitModule module) {
    this.program = program;
    this.module = module;
    var trained = module.named_parameters(true);
    for (var at = trained.begin(); at.notEquals(trained.end()); at.increment()) {
      var entry = at.access();
      parameters.adopt(entry.name().getString(), new Tensor(entry.value()));
    }
    var statistics = module.named_buffers(true);
    for (var at = statistics.begin(); at.notEquals(statistics.end()); at.increment()) {
      var entry = at.access();
      parameters.adoptStatistic(entry.name().getString(), new Tensor(entry.value()));
    }
  }

  /**
   * Loads a module from its file.
   *
   * @throws InvalidFileException when it is missing, or is none
   */
  static ScriptNetwork open(Path file) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new InvalidFileException(file, e);
    }
    try {
      return new ScriptNetwork(bytes, torch.load(file.toString()));
    } catch (RuntimeException e) {
      throw new InvalidFileException(
          file,
          "is no TorchScript module; write one with torch.jit.script(net).save(...) or"
              + " torch.jit.trace");
    }
  }

  @Override
  public Tensor forward(Tensor images, boolean training) {
    module.train(training);
    // Freed by the scope of the caller; the tensor is a part of the output.
    return module.forward(new IValueVector(new IValue(images))).toTensor();
  }

  @Override
  public Parameters parameters() {
    return parameters;
  }

  @Override
  public MemorySegment program() {
    return MemorySegment.ofArray(program);
  }

  /** Bytes of a module as a path, for LibTorch, which reads files. */
  static ScriptNetwork of(MemorySegment program) {
    try {
      Path file = Files.createTempFile("megaclass", ".pt");
      try {
        Files.write(file, program.toArray(ValueLayout.JAVA_BYTE));
        return open(file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "cannot unpack the module into the folder for temporary files: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    parameters.close();
    module.close();
  }
}
