"""Who a gateway is: authorities, claims, certificates, revocation. Pure."""
