// The one identity of the app. Every registration trusts it, so there is no secret for a Microsoft API anywhere.

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id, by which the app is given the identity.')
output id string = identity.id

@description('Client id, by which code names the identity.')
output clientId string = identity.properties.clientId

@description('Object id, to which roles are assigned and which the registrations trust.')
output principalId string = identity.properties.principalId
