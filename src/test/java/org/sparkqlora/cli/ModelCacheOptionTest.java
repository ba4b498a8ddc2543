package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.storage.UserCache;
import picocli.CommandLine.Model.OptionSpec;

class ModelCacheOptionTest {
    private static final String NAME = "--model-cache";

    @Test
    void itsDefaultIsThePrivateFolderOfTheUserInEveryCommand() {
        List<OptionSpec> options = RootCommand.commandLine().getSubcommands().values().stream()
                .flatMap(command -> command.getCommandSpec().options().stream())
                .filter(option -> option.longestName().equals(NAME))
                .toList();

        assertThat(options)
                .hasSizeGreaterThan(3)
                .allSatisfy(option -> assertThat((ModelCache) option.getValue()).isEqualTo(ModelCache.ofUser()));
    }

    @Test
    void thatFolderIsOneIntoWhichNobodyElseCanWrite() throws IOException {
        Path folder = ModelCache.ofUser().folder();

        assertThat(folder).isEqualTo(UserCache.ofProcess().folder("models"));
        assertThat(Files.getPosixFilePermissions(folder.getParent()))
                .doesNotContain(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
        assertThat(Files.getOwner(folder.getParent()).getName()).isEqualTo(System.getProperty("user.name"));
    }
}
