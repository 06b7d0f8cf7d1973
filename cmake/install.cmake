# SPDX-License-Identifier: GPL-2.0-only
# cmake --install build [--prefix DIR]: the program, its manual, the units and an example of the configuration. What is in
# /etc belongs to the operator: nothing is written there. The units name /usr/bin/punctual; with another prefix that place
# is put in.
include(GNUInstallDirs)
install(TARGETS punctual RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CMAKE_BINARY_DIR}/punctual.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES deploy/examples/punctual.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/punctual/examples)
install(FILES deploy/systemd/punctual.sysusers.conf DESTINATION lib/sysusers.d RENAME punctual.conf)
install(CODE "
  file(READ ${PROJECT_SOURCE_DIR}/deploy/systemd/punctual.service unit)
  string(REPLACE /usr/bin/punctual \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/punctual unit \"\${unit}\")
  file(WRITE ${CMAKE_BINARY_DIR}/punctual.service \"\${unit}\")")
install(FILES ${CMAKE_BINARY_DIR}/punctual.service DESTINATION lib/systemd/system)
