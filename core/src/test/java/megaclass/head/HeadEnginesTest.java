// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import megaclass.compute.ComputeBackend;
import megaclass.compute.RowFormat;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class HeadEnginesTest {
  private static final HeadSettings SETTINGS = settings(1000, 0);

  private static HeadSettings settings(int numClasses, int deviceNumber) {
    return settings(numClasses, deviceNumber, 1);
  }

  private static HeadSettings settings(int numClasses, int deviceNumber, int deviceCount) {
    return new HeadSettings(
        numClasses,
        128,
        RowFormat.FP32,
        HeadSettings.ALL_ON_DEVICE,
        Loss.parse("softmax(bias=true)"),
        new SelectorSpec.All(),
        OptimizerSpec.parse("sgd(momentum=0.9)"),
        256,
        Precision.TF32,
        deviceNumber,
        deviceCount);
  }

  @Test
  void backendsOfTheHostTrainTheHeadThere() {
    for (String name : ComputeBackend.NAMES) {
      assertEquals(name, HeadEngines.checkName(name));
      assertTrue(HeadEngines.isOnHost(name));
      assertTrue(HeadEngines.provider(name).isEmpty());
      assertEquals(name, HeadEngines.arithmetic(name));
      HeadEngines.requireFits(name, settings(Integer.MAX_VALUE, 7));
    }
  }

  @Test
  void aProviderIsFoundByItsName() {
    assertEquals(MirrorProvider.NAME, HeadEngines.checkName(MirrorProvider.NAME));
    assertFalse(HeadEngines.isOnHost(MirrorProvider.NAME));
    assertEquals("auto", HeadEngines.arithmetic(MirrorProvider.NAME));
    var provider = HeadEngines.provider(MirrorProvider.NAME).orElseThrow();
    assertInstanceOf(MirrorProvider.class, provider);
    assertEquals("looking-glass", HeadEngines.device(provider, 0, 1).description());
    HeadEngines.requireFits(MirrorProvider.NAME, SETTINGS);
  }

  @Test
  void aNameThatNothingHasIsRefused() {
    assertEquals(
        "backend must be one of auto, vector, scalar, cuda, but was \"gpu\"",
        message(() -> HeadEngines.checkName("gpu")));
  }

  /** The module cuda is not among what core is tested with. */
  @Test
  void aModuleThatIsNotThereIsNamed() {
    assertEquals("cuda", HeadEngines.checkName("cuda"));
    String expected =
        "backend \"cuda\" needs the module megaclass-cuda, which is not on the module path; put it"
            + " there, or take auto, vector or scalar";
    assertEquals(expected, message(() -> HeadEngines.provider("cuda")));
    assertEquals(expected, message(() -> HeadEngines.requireFits("cuda", SETTINGS)));
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    assertEquals(
        "backend \"mirror\" cannot be used here: there is one device, number 0, but number 1 is"
            + " asked for. Or take auto, vector or scalar",
        message(() -> HeadEngines.requireFits(MirrorProvider.NAME, settings(1000, 1))));
  }

  @Test
  void aHeadThatItsDeviceHasNoRoomForIsRefused() {
    // A row of 129 floats takes 144, the velocity as many, and 4 bytes for its step.
    int most = (int) (MirrorProvider.FREE_BYTES / (4 * 2 * 144 + 4));
    HeadEngines.requireFits(MirrorProvider.NAME, settings(most, 0));
    HeadEngines.requireFits(MirrorProvider.NAME, settings(most - 1, 0));
    assertEquals(
        "the head needs 4.3 GiB on looking-glass, of which 3.0 GiB are free; a smaller"
            + " device.memory, dtype bf16, a smaller dim or an optimizer without momentum need"
            + " less, backend auto needs nothing there",
        message(() -> HeadEngines.requireFits(MirrorProvider.NAME, settings(4_000_000, 0))));
    assertThrows(
        IllegalArgumentException.class,
        () -> HeadEngines.requireFits(MirrorProvider.NAME, settings(most + 1, 0)));
  }

  /** Each of several devices must be there and have room. */
  @Test
  void severalDevicesAreAsOneWithTheMemoryOfTheFullest() {
    var numbers = new ArrayList<Integer>();
    var provider =
        new HeadProvider() {
          @Override
          public String name() {
            return "several";
          }

          @Override
          public Device device(int number) {
            numbers.add(number);
            return new Device("sheet " + number, 100 - number);
          }

          @Override
          public Map<String, Long> deviceBytes(HeadSettings settings) {
            return Map.of();
          }

          @Override
          public TrainingHead open(HeadProblem problem) {
            throw new AssertionError();
          }
        };
    assertEquals(new HeadProvider.Device("3 x sheet 2", 96), HeadEngines.device(provider, 2, 3));
    assertEquals(List.of(2, 3, 4), numbers);
    assertEquals(
        "backend \"mirror\" cannot be used here: there is one device, number 0, but number 1 is"
            + " asked for. Or take auto, vector or scalar",
        message(() -> HeadEngines.requireFits(MirrorProvider.NAME, settings(1000, 0, 2))));
  }

  @Test
  void precisionsAreReadAndWritten() {
    for (var precision : Precision.values()) {
      assertEquals(precision, Precision.parse(precision.toString()));
    }
    assertEquals(
        "device precision must be tf32, bf16 or fp32, but was \"fp16\"",
        message(() -> Precision.parse("fp16")));
  }

  private static String message(Executable refused) {
    return String.valueOf(assertThrows(IllegalArgumentException.class, refused).getMessage());
  }
}
