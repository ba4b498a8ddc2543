package org.sparkqlora.weights.safetensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Rewrites the safetensors file of a folder with one tensor changed. */
public final class ModelFolders {
    private ModelFolders() {}

    /** Sets element {@code index} of the float32 tensor {@code name} in {@code folder}'s only file. */
    public static void setFloat(Path folder, String name, int index, float value) {
        Path file = folder.resolve("model.safetensors");
        StoredTensor tensor = SafetensorsFile.open(file).tensor(name);
        ByteBuffer changed = ByteBuffer.allocate((int) tensor.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
        changed.put(tensor.buffer()).putFloat(index * Float.BYTES, value);
        replace(folder, tensor.spec(), changed.array());
    }

    /** Gives the tensor of {@code changed}'s name that shape and {@code content}. */
    public static void replace(Path folder, TensorSpec changed, byte[] content) {
        Path file = folder.resolve("model.safetensors");
        SafetensorsFile original = SafetensorsFile.open(file);
        List<TensorSpec> specs = original.names().stream()
                .map(name -> name.equals(changed.name())
                        ? changed
                        : original.tensor(name).spec())
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of("format", "pt"), specs)) {
            for (TensorSpec spec : specs) {
                writer.write(
                        spec.name(),
                        spec == changed
                                ? ByteBuffer.wrap(content)
                                : original.tensor(spec.name()).buffer());
            }

            writer.commit();
        }
    }

    /** Removes the tensor {@code name}. */
    public static void remove(Path folder, String name) {
        Path file = folder.resolve("model.safetensors");
        SafetensorsFile original = SafetensorsFile.open(file);
        List<TensorSpec> specs = original.names().stream()
                .filter(other -> !other.equals(name))
                .map(other -> original.tensor(other).spec())
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), specs)) {
            specs.forEach(spec -> writer.copy(original.tensor(spec.name())));
            writer.commit();
        }
    }
}
