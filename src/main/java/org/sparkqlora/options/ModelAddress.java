package org.sparkqlora.options;

import java.nio.file.Files;
import java.nio.file.Path;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a model's place: what is there on this host, a URI, or {@code org/name} on a hub. */
public final class ModelAddress implements ITypeConverter<Location> {
    @Override
    public Location convert(String text) {
        try {
            HubId id = HubId.parse(text).orElse(null);
            return id == null || Files.exists(Path.of(text))
                    ? Location.parse(text)
                    : new Location(new org.apache.hadoop.fs.Path(id.address()));
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
